import { setImmediate } from 'node:timers/promises';
import { getCount, getInteger, getName } from '../client/rows.js';
import { prepared, type SqlClient, type SqlRow, toBinaryName } from '../client/sql-client.js';
import type { StorageAmount } from '../messages/storage-amount.js';

/** Rows that one statement looks at. SQLite, which blocks the process meanwhile, takes a few milliseconds. */
const SLICE_ROWS = 2_000;

/** What one box holds. */
export interface BoxAmount extends StorageAmount {
  /** The row id of the box. */
  readonly boxId: number;
  /** The row id of its oldest message. */
  readonly oldestId: number;
}

/** What one sender has in the boxes of all recipients. */
export interface SenderAmount extends StorageAmount {
  readonly identityKey: string;
}

/**
 * Sums up all boxes, in the order of their row ids. Each statement looks at 2,000 rows, and others run between them. Messages
 * without a box, which the reference server has left, are not seen. Expired messages count until they are removed. Rejects
 * with the driver's errors.
 */
export async function* walkBoxes(sql: SqlClient): AsyncGenerator<BoxAmount> {
  const slice = prepared(
    `SELECT messageBoxId, COUNT(*) AS messages, SUM(body_bytes) AS bytes, MIN(id) AS first, MAX(id) AS last FROM
     (SELECT messageBoxId, id, body_bytes FROM messages ${sql.dialect.forceIndex('messages_box_order_index')}
      WHERE messageBoxId > ? ORDER BY messageBoxId, id LIMIT ${SLICE_ROWS}) AS slice
     GROUP BY messageBoxId ORDER BY messageBoxId`,
  );
  for (let after = 0; ; ) {
    const rows = await sql.read(slice, [after]);
    const isFull = countRows(rows) === SLICE_ROWS;
    for (const [index, row] of rows.entries()) {
      after = getInteger(row, 'messageBoxId');
      const amount = { messages: getCount(row, 'messages'), bytes: getCount(row, 'bytes') };
      const isCut = isFull && index === rows.length - 1;
      const rest = isCut ? await sumBox(sql, after, getInteger(row, 'last')) : { messages: 0, bytes: 0 };
      yield { boxId: after, oldestId: getInteger(row, 'first'), ...add(amount, rest) };
    }
    if (!isFull) return;
    await setImmediate();
  }
}

/** Sums up one box in slices. @param after only messages with a higher row id */
export async function sumBox(sql: SqlClient, boxId: number, after = 0): Promise<StorageAmount> {
  const slice = prepared(
    `SELECT COUNT(*) AS messages, SUM(body_bytes) AS bytes, MAX(id) AS last FROM
     (SELECT id, body_bytes FROM messages ${sql.dialect.forceIndex('messages_box_order_index')}
      WHERE messageBoxId = ? AND id > ? ORDER BY id LIMIT ${SLICE_ROWS}) AS slice`,
  );
  let sum: StorageAmount = { messages: 0, bytes: 0 };
  for (let last = after; ; ) {
    const [row] = await sql.read(slice, [boxId, last]);
    const messages = getCount(row, 'messages');
    sum = add(sum, { messages, bytes: getCount(row, 'bytes') });
    if (row === undefined || messages < SLICE_ROWS) return sum;
    last = getInteger(row, 'last');
    await setImmediate();
  }
}

/**
 * Sums up all senders, in the order of their keys, from an index that covers the query. A sender with more messages than a
 * slice has is summed up in one statement along that index, as quotas are.
 */
export async function* walkSenders(sql: SqlClient): AsyncGenerator<SenderAmount> {
  const index = sql.dialect.forceIndex('messages_sender_usage_index');
  const slice = prepared(
    `SELECT sender, COUNT(*) AS messages, SUM(body_bytes) AS bytes FROM
     (SELECT sender, body_bytes FROM messages ${index} WHERE sender > ? ORDER BY sender LIMIT ${SLICE_ROWS}) AS slice
     GROUP BY sender ORDER BY sender`,
  );
  const one = prepared(`SELECT COUNT(*) AS messages, SUM(body_bytes) AS bytes FROM messages ${index} WHERE sender = ?`);
  for (let after = ''; ; ) {
    const rows = await sql.read(slice, [toBinaryName(after)]);
    const isFull = countRows(rows) === SLICE_ROWS;
    for (const [place, row] of rows.entries()) {
      after = getName(row, 'sender');
      const isCut = isFull && place === rows.length - 1;
      const whole = isCut ? (await sql.read(one, [toBinaryName(after)]))[0] : row;
      yield { identityKey: after, messages: getCount(whole, 'messages'), bytes: getCount(whole, 'bytes') };
    }
    if (!isFull) return;
    await setImmediate();
  }
}

/** The number of identities that have boxes. */
export async function countBoxOwners(sql: SqlClient): Promise<number> {
  const slice = prepared(
    `SELECT COUNT(*) AS rows_read, COUNT(DISTINCT identityKey) AS owners, MAX(identityKey) AS last FROM
     (SELECT identityKey FROM messageBox WHERE identityKey > ? ORDER BY identityKey LIMIT ${SLICE_ROWS}) AS slice`,
  );
  let owners = 0;
  for (let after = ''; ; ) {
    const [row] = await sql.read(slice, [toBinaryName(after)]);
    owners += getCount(row, 'owners');
    if (row === undefined || getCount(row, 'rows_read') < SLICE_ROWS) return owners;
    after = getName(row, 'last');
    await setImmediate();
  }
}

function countRows(rows: readonly SqlRow[]): number {
  return rows.reduce((sum, row) => sum + getCount(row, 'messages'), 0);
}

function add(a: StorageAmount, b: StorageAmount): StorageAmount {
  return { messages: a.messages + b.messages, bytes: a.bytes + b.bytes };
}
