import { retryContention } from '../client/retry-contention.js';
import { prepared, type Sql, type SqlClient, type SqlValue, toBinaryName } from '../client/sql-client.js';
import { withStoreErrors } from '../client/translate-error.js';
import { UnusedBoxSweeper } from '../messages/unused-box-sweeper.js';
import { removeReceiptsOf } from '../receipts/receipt-purger.js';
import { UploadStore } from '../uploads/upload-store.js';
import { type EraseResult, eraseMessages } from './message-eraser.js';

/** What was deleted of an account. */
export interface AccountErasure {
  readonly messages: EraseResult;
  readonly boxes: number;
  readonly permissions: number;
  readonly devices: number;
  /** Records of payments that name the identity no more. */
  readonly payments: number;
}

const DELETE_DEVICES = prepared('DELETE FROM device_registrations WHERE identity_key = ?');
const DELETE_OUTBOX = prepared('DELETE FROM push_outbox WHERE recipient = ?');
const DELETE_DELIVERIES = prepared('DELETE FROM push_deliveries WHERE recipient = ?');
const DELETE_PERMISSIONS = prepared('DELETE FROM message_permissions WHERE recipient = ?');
/** A transaction pays once, for ever, so its record stays. In the name of nobody, it is used up for everybody. */
const FORGET_PAYER = prepared('UPDATE payments SET sender = ? WHERE sender = ? AND state = ?');
const FORGET_PRICE_PAYER = prepared('UPDATE request_payments SET sender = ? WHERE sender = ? AND state = ?');
// The columns hold bytes, and SQLite never takes a text for equal to bytes.
const NOBODY = toBinaryName('');
const USED_UP = toBinaryName('done');
const USED_UP_PRICE = toBinaryName('used');

/**
 * Deletes what this server keeps of an identity.
 *
 * Receipts about messages that it has sent are deleted, and those that tell others what it has done with theirs stay.
 *
 * What belongs to others stays: messages that the identity has sent and that their recipients have not acknowledged, what
 * others have decided about it, and their payments for messages to it. So do its payments that are not used up, because it
 * could not use the money otherwise, and its advertisements, which the chain has published.
 *
 * Each step may be repeated. After an interruption, the next call deletes the rest.
 *
 * @param includePayments whether messages that carry a payment are deleted too. Otherwise they and their boxes stay
 * @throws {StoreUnavailableError}
 */
export function eraseAccount(sql: SqlClient, identityKey: string, includePayments: boolean): Promise<AccountErasure> {
  const owner = toBinaryName(identityKey);
  const run = async (statement: Sql, values: readonly SqlValue[] = [owner]) =>
    (await retryContention(() => sql.write(statement, values))).changes;
  return withStoreErrors(async () => {
    // Devices first, so that nothing is announced to them any more.
    const devices = await run(DELETE_DEVICES);
    const messages = await eraseMessages(sql, { recipient: identityKey, includePayments });
    await run(DELETE_OUTBOX);
    await run(DELETE_DELIVERIES);
    await new UploadStore(sql).endOpenUploadsOf(identityKey, Date.now());
    const permissions = await run(DELETE_PERMISSIONS);
    await removeReceiptsOf(sql, identityKey);
    const boxes = await new UnusedBoxSweeper(sql).removeEmptyBoxesOf(identityKey);
    const forMessages = await run(FORGET_PAYER, [NOBODY, owner, USED_UP]);
    const forRequests = await run(FORGET_PRICE_PAYER, [NOBODY, owner, USED_UP_PRICE]);
    return { messages, boxes, permissions, devices, payments: forMessages + forRequests };
  });
}
