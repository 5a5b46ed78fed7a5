import { addressKey } from '@messagebox/shared';
import type { Request } from 'express';

/** Who asks, as far as limits go. */
export function addressOf(request: Request): string {
  return addressKey(request.ip ?? '');
}
