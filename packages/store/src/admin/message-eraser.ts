import { setImmediate } from 'node:timers/promises';
import { retryContention } from '../client/retry-contention.js';
import { getCount, getInteger, getName } from '../client/rows.js';
import { dynamic, prepared, type SqlClient, type SqlRow, type SqlValue, toBinaryName } from '../client/sql-client.js';
import { inList } from '../client/sql-text.js';
import { withStoreErrors } from '../client/translate-error.js';
import { describeExpiry } from '../messages/message-expiry.js';
import { findNewestId } from '../messages/message-headers.js';

/** Rows that one step looks at and one statement deletes, as in the purge of expired messages. */
const BATCH_SIZE = 500;
/** A step deletes bodies of no more bytes than this, unless a single one is larger. */
const MAX_BATCH_BYTES = 8 * 1_024 * 1_024;
/** Messages with payments that are named when they are kept. */
export const MAX_NAMED_PAYMENTS = 100;

const EMPTY_NAME = toBinaryName('');
const SELECT_BOX = prepared('SELECT messageBoxId FROM messageBox WHERE identityKey = ? AND type = ?');

/** Which messages to erase. */
export interface EraseQuery {
  /** Whose inbox. */
  readonly recipient: string;
  /** Only those in this box. Default: all. */
  readonly messageBox?: string | undefined;
  /** Whether messages that carry a payment are erased too: their recipient loses the money. */
  readonly includePayments: boolean;
}

/** A message that was kept because it carries a payment. */
export interface KeptPayment {
  /** Undefined for a message whose box was deleted, which the reference server allowed. */
  readonly messageBox: string | undefined;
  readonly messageId: string;
  readonly sender: string;
}

/** What was erased. */
export interface EraseResult {
  readonly removed: number;
  /** Messages that were kept because they carry a payment. */
  readonly kept: number;
  /** The first {@link MAX_NAMED_PAYMENTS} of those. */
  readonly keptPayments: readonly KeptPayment[];
}

/**
 * Removes messages that their recipient has not acknowledged, in short steps: those that were stored before the call. An
 * interrupted call has removed a part; the next one goes on. Devices are not told of what was removed.
 *
 * @throws {StoreUnavailableError}
 */
export function eraseMessages(sql: SqlClient, query: EraseQuery): Promise<EraseResult> {
  return withStoreErrors(async () => {
    const scan = await findScan(sql, query);
    if (scan === undefined) return { removed: 0, kept: 0, keptPayments: [] };
    const upTo = await findNewestId(sql);
    const keptPayments: KeptPayment[] = [];
    let [removed, kept] = [0, 0];
    for (let after: SqlValue = scan.key === 'id' ? 0 : EMPTY_NAME; ; ) {
      const rows = await readBatch(sql, scan, after, upTo);
      const due = takeBatch(rows, query.includePayments);
      for (const row of due.rows) {
        if (query.includePayments || getInteger(row, 'paid') !== 1) continue;
        kept += 1;
        if (keptPayments.length < MAX_NAMED_PAYMENTS) keptPayments.push(toKeptPayment(row));
      }
      removed += await remove(sql, due.ids, query.includePayments);
      const last = due.rows.at(-1);
      if (last === undefined || (due.rows.length === rows.length && rows.length < BATCH_SIZE)) break;
      after = last[scan.key] as SqlValue;
      await setImmediate();
    }
    return { removed, kept, keptPayments };
  });
}

/** The rows of an index, in its order. */
interface Scan {
  /** A condition with one value. */
  readonly where: string;
  readonly value: SqlValue;
  /** The unique column that orders the rows. */
  readonly key: 'id' | 'messageId';
}

/** @returns undefined when the identity has no such box */
async function findScan(sql: SqlClient, { recipient, messageBox }: EraseQuery): Promise<Scan | undefined> {
  const owner = toBinaryName(recipient);
  if (messageBox === undefined) return { where: 'm.recipient = ?', value: owner, key: 'messageId' };
  const [box] = await sql.read(SELECT_BOX, [owner, toBinaryName(messageBox)]);
  return box && { where: 'm.messageBoxId = ?', value: getInteger(box, 'messageBoxId'), key: 'id' };
}

function readBatch(sql: SqlClient, { where, value, key }: Scan, after: SqlValue, upTo: number): Promise<SqlRow[]> {
  const { carriesPayment } = describeExpiry(sql, 'm');
  const select = prepared(
    `SELECT m.id, m.messageId, m.sender, b.type, m.body_bytes, ${carriesPayment} AS paid
     FROM messages m LEFT JOIN messageBox b ON b.messageBoxId = m.messageBoxId
     WHERE ${where} AND m.${key} > ? AND m.id <= ? ORDER BY m.${key} LIMIT ${BATCH_SIZE}`,
  );
  return sql.read(select, [value, after, upTo]);
}

/** The first of these rows, and the ids of those to be removed, until their bodies have {@link MAX_BATCH_BYTES}. */
function takeBatch(rows: readonly SqlRow[], includePayments: boolean): { rows: SqlRow[]; ids: number[] } {
  const taken: SqlRow[] = [];
  const ids: number[] = [];
  let bytes = 0;
  for (const row of rows) {
    const isRemoved = includePayments || getInteger(row, 'paid') !== 1;
    if (isRemoved) bytes += getCount(row, 'body_bytes');
    if (isRemoved && bytes > MAX_BATCH_BYTES && ids.length > 0) break;
    taken.push(row);
    if (isRemoved) ids.push(getInteger(row, 'id'));
  }
  return { rows: taken, ids };
}

async function remove(sql: SqlClient, ids: readonly number[], includePayments: boolean): Promise<number> {
  if (ids.length === 0) return 0;
  await removePushes(sql, ids);
  // A row id is never used again, so the row is still that message.
  const { carriesPayment } = describeExpiry(sql, 'messages');
  const condition = includePayments ? '' : ` AND NOT ${carriesPayment}`;
  const statement = dynamic(`DELETE FROM messages WHERE id ${inList(ids.length)}${condition}`);
  return (await retryContention(() => sql.write(statement, ids))).changes;
}

/** There are such rows only while pushes wait. */
async function removePushes(sql: SqlClient, ids: readonly number[]): Promise<void> {
  for (const table of ['push_outbox', 'push_deliveries']) {
    const find = `SELECT p.id FROM messages m JOIN ${table} p ON p.recipient = m.recipient AND p.message_id = m.messageId
      WHERE m.id ${inList(ids.length)}`;
    const pushes = (await sql.read(dynamic(find), ids)).map((row) => getInteger(row, 'id'));
    if (pushes.length === 0) continue;
    const statement = dynamic(`DELETE FROM ${table} WHERE id ${inList(pushes.length)}`);
    await retryContention(() => sql.write(statement, pushes));
  }
}

function toKeptPayment(row: SqlRow): KeptPayment {
  return {
    messageBox: row['type'] === null ? undefined : getName(row, 'type'),
    messageId: getName(row, 'messageId'),
    sender: getName(row, 'sender'),
  };
}
