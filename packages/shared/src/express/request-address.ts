import type { Request } from 'express';
import { toAddressKey } from '../http/client-address.js';

/** The address under which limits count a request. */
export function getRequestAddress(request: Request): string {
  return toAddressKey(request.ip ?? '');
}
