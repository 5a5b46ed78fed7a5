import { RuleError } from '@messagebox/shared';
import type { Request } from 'express';

const utf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * The JSON of a verified request, from the very bytes that were signed.
 *
 * @throws {RuleError} `ERR_INVALID_JSON` when they aren't UTF-8 JSON
 */
export function jsonBody(request: Request): unknown {
  try {
    return JSON.parse(utf8.decode(request.auth?.rawBody));
  } catch {
    throw new RuleError('ERR_INVALID_JSON', 'The request body must be JSON in UTF-8.');
  }
}
