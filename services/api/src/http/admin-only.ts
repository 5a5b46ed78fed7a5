import { RuleError } from '@messagebox/shared';
import type { RequestHandler } from 'express';
import { callerOf } from './caller.js';

/**
 * Lets only the operator's identities through; others are answered 403 `ERR_NOT_ADMIN`. Goes behind authentication.
 *
 * @param adminIdentityKeys 66 lower-case hex characters each; none: nobody is let through
 */
export function adminOnly(adminIdentityKeys: readonly string[]): RequestHandler {
  const admins = new Set(adminIdentityKeys);
  return (request, _response, next) => {
    if (!admins.has(callerOf(request))) {
      throw new RuleError('ERR_NOT_ADMIN', 'Only the operator of this server may do this.', 403);
    }
    next();
  };
}
