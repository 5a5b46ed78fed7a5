import { chunks } from '../client/chunks.js';
import { getInteger, getName } from '../client/rows.js';
import {
  dynamic,
  prepared,
  type Sql,
  type SqlClient,
  type SqlRow,
  type SqlWrite,
  toBinaryName,
  UnexpectedChangesError,
} from '../client/sql-client.js';
import { inList } from '../client/sql-text.js';
import { GIVES_RECEIPTS, JOIN_RECEIPT_PERMISSIONS } from './receipt-permission.js';
import { openReceipts } from './receipts.js';

const BATCH_SIZE = 1_000;
/** Attempts while others remove some of the same messages. Each attempt finds fewer. */
const MAX_ATTEMPTS = 10;
const buildSelect = (ids: number) =>
  `SELECT m.id, m.messageId, m.sender, ${GIVES_RECEIPTS} AS gives_receipts FROM messages m
   LEFT JOIN messageBox b ON b.messageBoxId = m.messageBoxId ${JOIN_RECEIPT_PERMISSIONS}
   WHERE m.recipient = ? AND m.messageId ${inList(ids)}`;
const SELECT_ONE = prepared(buildSelect(1));
const DELETE_ONE = prepared('DELETE FROM messages WHERE id = ?');

/**
 * Deletes the messages with these ids that are this recipient's, and remembers in the same transaction that they were
 * acknowledged, for senders who may know. Reads first, without locks, so that ids which are not there write nothing.
 *
 * The messages are deleted by their row ids, which are never used again. When one of them is gone by then, the transaction is
 * undone and the rest is read again, so that a message which has expired or was erased meanwhile does not get this receipt.
 *
 * @param messageIds without repeats
 * @returns the number of deleted messages. Rejects with the driver's errors
 */
export async function acknowledgeWithReceipts(
  sql: SqlClient,
  recipient: string,
  messageIds: readonly string[],
): Promise<number> {
  for (let attempt = 1; ; attempt++) {
    const rows = await readRows(sql, recipient, messageIds);
    if (rows.length === 0) return 0;
    try {
      await sql.writeAll([...buildDeletes(rows), ...buildReceipts(sql, recipient, rows)]);
      return rows.length;
    } catch (error) {
      if (!(error instanceof UnexpectedChangesError) || attempt >= MAX_ATTEMPTS) throw error;
    }
  }
}

async function readRows(sql: SqlClient, recipient: string, messageIds: readonly string[]): Promise<SqlRow[]> {
  const rows: SqlRow[] = [];
  for (const chunk of chunks(messageIds, BATCH_SIZE)) {
    const select: Sql = chunk.length === 1 ? SELECT_ONE : dynamic(buildSelect(chunk.length));
    rows.push(...(await sql.read(select, [recipient, ...chunk].map(toBinaryName))));
  }
  return rows;
}

function buildDeletes(rows: readonly SqlRow[]): SqlWrite[] {
  // Sorted, so that two callers with the same ids don't deadlock.
  const ids = rows.map((row) => getInteger(row, 'id')).sort((a, b) => a - b);
  return chunks(ids, BATCH_SIZE).map((chunk) => ({
    sql: chunk.length === 1 ? DELETE_ONE : dynamic(`DELETE FROM messages WHERE id ${inList(chunk.length)}`),
    values: chunk,
    changes: chunk.length,
  }));
}

function buildReceipts(sql: SqlClient, recipient: string, rows: readonly SqlRow[]): SqlWrite[] {
  const subjects = rows
    .filter((row) => getInteger(row, 'gives_receipts') === 1)
    .map((row) => ({ recipient, sender: getName(row, 'sender'), messageId: getName(row, 'messageId') }));
  return openReceipts(sql)?.buildWrites(subjects, 'acknowledged') ?? [];
}
