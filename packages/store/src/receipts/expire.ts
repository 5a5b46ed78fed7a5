import { getInteger, getName } from '../client/rows.js';
import { dynamic, type SqlClient, type SqlRunner, type SqlValue } from '../client/sql-client.js';
import { inList } from '../client/sql-text.js';
import { describeExpiry } from '../messages/message-expiry.js';
import { GIVES_RECEIPTS, JOIN_RECEIPT_PERMISSIONS } from './receipt-permission.js';
import { openReceipts } from './receipts.js';

/**
 * Removes messages that fulfil a condition and have expired, and remembers in the same transaction that they have, for senders
 * who may know.
 *
 * @param buildWhere a condition for few rows along an index, such as a list of row ids. It gets the name of the table
 * @returns the number of removed messages. Rejects with the driver's errors
 */
export function removeExpired(
  sql: SqlClient,
  buildWhere: (table: string) => string,
  values: readonly SqlValue[],
): Promise<number> {
  const receipts = openReceipts(sql);
  if (receipts === undefined) return removeOnly(sql, buildWhere('messages'), values);
  const { isExpired } = describeExpiry(sql, 'm');
  return sql.transaction(async (runner) => {
    const find = `SELECT m.id FROM messages m WHERE (${buildWhere('m')}) AND ${isExpired} ORDER BY m.id ${sql.dialect.forUpdate}`;
    const ids = (await runner.read(dynamic(find), values)).map((row) => getInteger(row, 'id'));
    if (ids.length === 0) return 0;
    const read = `SELECT m.recipient, m.sender, m.messageId FROM messages m
      LEFT JOIN messageBox b ON b.messageBoxId = m.messageBoxId ${JOIN_RECEIPT_PERMISSIONS}
      WHERE m.id ${inList(ids.length)} AND ${GIVES_RECEIPTS}`;
    const subjects = (await runner.read(dynamic(read), ids)).map((row) => ({
      recipient: getName(row, 'recipient'),
      sender: getName(row, 'sender'),
      messageId: getName(row, 'messageId'),
    }));
    await remove(runner, ids);
    for (const write of receipts.buildWrites(subjects, 'expired')) await runner.write(write.sql, write.values);
    return ids.length;
  });
}

/** The rows are locked, and each was found to have expired. */
async function remove(runner: SqlRunner, ids: readonly number[]): Promise<void> {
  await runner.write(dynamic(`DELETE FROM messages WHERE id ${inList(ids.length)}`), ids);
}

async function removeOnly(sql: SqlClient, where: string, values: readonly SqlValue[]): Promise<number> {
  const { isExpired } = describeExpiry(sql, 'messages');
  const statement = `DELETE FROM messages WHERE (${where}) AND ${isExpired}`;
  return (await sql.write(dynamic(statement), values)).changes;
}
