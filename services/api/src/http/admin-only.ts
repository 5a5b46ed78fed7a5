import { RuleError } from '@messagebox/shared';
import type { RequestHandler } from 'express';
import { callerOf } from './caller.js';

/**
 * Lets an operator through. For routes behind authentication.
 *
 * @param keys identity keys of operators, 66 lower-case hex characters each; with none, nobody is one
 * @throws {RuleError} `ERR_NOT_ADMIN` to everybody else
 */
export function adminOnly(keys: readonly string[]): RequestHandler {
  const admins = new Set(keys);
  return (request, _response, next) => {
    if (!admins.has(callerOf(request))) {
      throw new RuleError('ERR_NOT_ADMIN', 'This is for the operators of this server.', 403);
    }
    next();
  };
}
