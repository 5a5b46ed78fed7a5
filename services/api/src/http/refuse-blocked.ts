import { RuleError } from '@messagebox/messages';
import type { BlockList } from '@messagebox/shared';
import type { RequestHandler } from 'express';
import { getCallerKey } from './get-caller-key.js';

/** What a blocked identity is told, over HTTP and on sockets. */
const DESCRIPTION = 'The operator of this server has blocked this identity.';

/**
 * Creates a handler that refuses blocked identities. It must come right after authentication, on every authenticated route.
 *
 * @throws {RuleError} `ERR_IDENTITY_BLOCKED`; {StoreUnavailableError} when the list was never read and can't be read now
 */
export function refuseBlocked(blockList: Pick<BlockList, 'check'>): RequestHandler {
  return async (request, _response, next) => {
    if (await blockList.check(getCallerKey(request))) throw new RuleError('ERR_IDENTITY_BLOCKED', DESCRIPTION, 403);
    next();
  };
}
