import { RuleError } from '@messagebox/messages';
import type { RequestHandler } from 'express';
import { getCallerKey } from './get-caller-key.js';

/**
 * Creates a handler that lets only administrators through. It must come after authentication.
 *
 * @param keys identity keys of the administrators, 66 lower-case hex characters each; an empty list refuses everyone
 * @throws {RuleError} `ERR_NOT_ADMIN` for other callers
 */
export function requireAdmin(keys: readonly string[]): RequestHandler {
  const admins = new Set(keys);
  return (request, _response, next) => {
    if (!admins.has(getCallerKey(request))) {
      throw new RuleError('ERR_NOT_ADMIN', 'Only an administrator of this server may use this route.', 403);
    }
    next();
  };
}
