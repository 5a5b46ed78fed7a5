import { getField, type NormaliseKey, RuleError, type StorageQuotas } from '@messagebox/messages';
import type { IdentityNotices } from '@messagebox/shared';
import { eraseAccount, type SqlClient } from '@messagebox/store';
import type { RequestHandler } from 'express';
import { consumeJsonBody } from '../../http/consume-json-body.js';
import { getCallerKey } from '../../http/get-caller-key.js';
import type { WorkSlots } from '../../http/work-slots.js';

export interface DeleteAccountOptions {
  readonly sql: SqlClient;
  readonly quotas: StorageQuotas;
  readonly notices: IdentityNotices;
  readonly slots: WorkSlots;
  readonly normaliseKey: NormaliseKey;
}

/**
 * `POST /account/delete {confirm: IDENTITYKEY, includePayments?}`: deletes what this server keeps of the caller. See
 * `eraseAccount` for what belongs to others and stays. Messages that carry a payment are kept and named, unless
 * `includePayments` is true: the caller would lose the money. The caller's sockets end. An interrupted deletion is completed by
 * the next request.
 */
export function deleteAccountRoute(options: DeleteAccountOptions): RequestHandler {
  const { sql, quotas, notices, slots, normaliseKey } = options;
  return async (request, response) => {
    const identityKey = getCallerKey(request);
    const body = consumeJsonBody(request);
    const confirm = getField(body, 'confirm');
    if (typeof confirm !== 'string' || normaliseKey(confirm) !== identityKey) {
      throw new RuleError('ERR_NOT_CONFIRMED', 'confirm must be your own identity key. Nothing was deleted.');
    }
    const includePayments = getField(body, 'includePayments') ?? false;
    if (typeof includePayments !== 'boolean') {
      throw new RuleError('ERR_INVALID_REQUEST', 'includePayments must be true or false. Nothing was deleted.');
    }
    const { messages, ...removed } = await slots.run(identityKey, () =>
      eraseAccount(sql, identityKey, includePayments),
    );
    quotas.noteFreed(identityKey);
    notices.send({ type: 'account_deleted', identityKey });
    response.json({
      status: 'success',
      removed: { messages: messages.removed, ...removed },
      keptPayments: messages.keptPayments,
      keptPaymentCount: messages.kept,
    });
  };
}
