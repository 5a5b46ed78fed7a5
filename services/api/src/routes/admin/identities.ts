import { getField, type NormaliseKey, RuleError, type StorageQuotas } from '@messagebox/messages';
import type { IdentityNotices } from '@messagebox/shared';
import {
  type AuditLog,
  type Block,
  type BlockedIdentities,
  eraseMessages,
  MAX_BLOCKED_IDENTITIES,
  readIdentityUsage,
  type SqlClient,
  TooManyBlockedError,
} from '@messagebox/store';
import type { RequestHandler } from 'express';
import { parseIdentityKey, parseOptionalBox } from '../../http/admin-request.js';
import { consumeOptionalJsonBody } from '../../http/consume-json-body.js';
import { getCallerKey } from '../../http/get-caller-key.js';
import type { UsageSurveys } from './usage-surveys.js';

export interface IdentityRoutesOptions {
  readonly sql: SqlClient;
  readonly blocked: BlockedIdentities;
  readonly audit: AuditLog;
  readonly quotas: StorageQuotas;
  readonly surveys: UsageSurveys;
  readonly notices: IdentityNotices;
  readonly normaliseKey: NormaliseKey;
  readonly adminIdentityKeys: readonly string[];
}

type KeyRoute = RequestHandler<{ key: string }>;
const MAX_REASON_CHARACTERS = 500;

/** `GET /admin/identities/:key`: what this server keeps of an identity, without bodies. Any valid key has an answer. */
export function getIdentityRoute({ sql, blocked, normaliseKey }: IdentityRoutesOptions): KeyRoute {
  return async (request, response) => {
    const identityKey = parseIdentityKey(request.params.key, normaliseKey);
    const block = await blocked.find(identityKey);
    const { boxes, ...usage } = await readIdentityUsage(sql, identityKey);
    response.json({
      status: 'success',
      identityKey,
      blocked: toBlockResponse(block),
      boxes: boxes.map(({ oldest, ...box }) => ({ ...box, oldest: oldest?.toISOString() ?? null })),
      ...usage,
    });
  };
}

/**
 * `POST /admin/identities/:key/block {reason?}`: from now on the identity can neither send nor list nor listen. Messages to
 * it are stored as ever. Its sockets end on all instances. An identity that is blocked already stays as it is.
 */
export function blockIdentityRoute(options: IdentityRoutesOptions): KeyRoute {
  return async (request, response) => {
    const identityKey = parseIdentityKey(request.params.key, options.normaliseKey);
    const reason = parseReason(getField(consumeOptionalJsonBody(request), 'reason'));
    if (options.adminIdentityKeys.includes(identityKey)) {
      const description = 'An operator can not be blocked. Take the key out of ADMIN_IDENTITY_KEYS first.';
      throw new RuleError('ERR_IDENTITY_IS_OPERATOR', description, 409);
    }
    const block = await options.blocked.block(identityKey, { by: getCallerKey(request), reason }).catch(refuseTooMany);
    options.notices.send({ type: 'blocks_changed' });
    response.json({ status: 'success', identityKey, blocked: toBlockResponse(block) });
  };
}

/** `POST /admin/identities/:key/unblock`. Succeeds for an identity that is not blocked, too. */
export function unblockIdentityRoute({ blocked, notices, normaliseKey }: IdentityRoutesOptions): KeyRoute {
  return async (request, response) => {
    const identityKey = parseIdentityKey(request.params.key, normaliseKey);
    await blocked.unblock(identityKey, getCallerKey(request));
    notices.send({ type: 'blocks_changed' });
    response.json({ status: 'success', identityKey, blocked: null });
  };
}

/**
 * `POST /admin/identities/:key/purge {messageBox?}`: removes the messages that the identity has not acknowledged, except those
 * that carry a payment. When it is interrupted, the next call removes the rest.
 */
export function purgeIdentityRoute(options: IdentityRoutesOptions): KeyRoute {
  const { sql, audit, quotas, surveys, normaliseKey } = options;
  return async (request, response) => {
    const recipient = parseIdentityKey(request.params.key, normaliseKey);
    const messageBox = parseOptionalBox(getField(consumeOptionalJsonBody(request), 'messageBox'));
    const operator = getCallerKey(request);
    const about = messageBox === undefined ? {} : { messageBox };
    // Recorded before it is done: an interrupted purge has removed something, too.
    const id = await audit.record({ operator, action: 'purge', subject: recipient, details: about });
    const { removed, kept } = await eraseMessages(sql, { recipient, messageBox, includePayments: false });
    await audit.complete(id, { ...about, removed, kept });
    quotas.noteFreed(recipient);
    surveys.expire();
    response.json({ status: 'success', identityKey: recipient, removed, kept });
  };
}

function parseReason(value: unknown): string | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  const isText = typeof value === 'string' && value.isWellFormed() && !value.includes('\0');
  if (isText && [...value].length <= MAX_REASON_CHARACTERS) return value;
  throw new RuleError('ERR_INVALID_REQUEST', `reason must be a text of at most ${MAX_REASON_CHARACTERS} characters.`);
}

function refuseTooMany(error: unknown): never {
  if (!(error instanceof TooManyBlockedError)) throw error;
  const description = `${MAX_BLOCKED_IDENTITIES} identities are blocked, and there may be no more.`;
  throw new RuleError('ERR_TOO_MANY_BLOCKED', description, 409);
}

function toBlockResponse(block: Block | undefined) {
  return block === undefined ? null : { since: block.since.toISOString(), by: block.by, reason: block.reason ?? null };
}
