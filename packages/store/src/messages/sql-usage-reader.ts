import { getCount, getInteger } from '../client/rows.js';
import { dynamic, prepared, type SqlClient, type SqlRow, type SqlValue, toBinaryName } from '../client/sql-client.js';
import { inList } from '../client/sql-text.js';
import { withStoreErrors } from '../client/translate-error.js';
import { describeExpiry, mayHoldExpired } from './message-expiry.js';
import type { StorageAmount } from './storage-amount.js';

const INBOX_INDEX = 'messages_inbox_usage_index';
const SENDER_INDEX = 'messages_sender_usage_index';
/** Most rows that are counted where the number of messages has no limit. */
const MAX_COUNTED = 1_000_000;
/** Most rows without a size that one read fills in. */
const FILL_BATCH_SIZE = 200;

/**
 * Sums up how much is stored and has not expired, from indexes that cover the query; only when expired messages may be in
 * the table, each row is read. Counting stops just above the given limit, so that usage from a time with a higher limit
 * costs no more to read. All methods throw {@link StoreUnavailableError} and nothing else.
 */
export class SqlUsageReader {
  constructor(private readonly sql: SqlClient) {}

  /** Usage of all boxes of a recipient. */
  readInboxUsage(recipient: string, limit: number): Promise<StorageAmount> {
    return this.#readUsage(INBOX_INDEX, 'recipient = ?', [toBinaryName(recipient)], limit);
  }

  /** Usage of a sender in the boxes of all recipients. */
  readSenderUsage(sender: string, limit: number): Promise<StorageAmount> {
    return this.#readUsage(SENDER_INDEX, 'sender = ?', [toBinaryName(sender)], limit);
  }

  /** Usage of a sender in the boxes of one recipient. */
  readPairUsage(recipient: string, sender: string, limit: number): Promise<StorageAmount> {
    return this.#readUsage(INBOX_INDEX, 'recipient = ? AND sender = ?', [recipient, sender].map(toBinaryName), limit);
  }

  #readUsage(index: string, where: string, names: readonly SqlValue[], limit: number): Promise<StorageAmount> {
    const maxCounted = Math.min(limit, MAX_COUNTED) + 1;
    return withStoreErrors(async () => {
      const live = (await mayHoldExpired(this.sql)) ? ` AND ${describeExpiry(this.sql, 'messages').isLive}` : '';
      // A limit doesn't change while a process runs, so there are few different texts.
      const sql = prepared(
        `SELECT COUNT(*) AS messages, COUNT(body_bytes) AS known, SUM(body_bytes) AS bytes FROM
         (SELECT body_bytes FROM messages ${this.sql.dialect.forceIndex(index)}
          WHERE ${where}${live} LIMIT ${maxCounted}) AS counted`,
      );
      const [row] = await this.sql.read(sql, names);
      if (!isMissingSizes(row) || (await this.#fillMissingSizes(index, where, names)) === 0) return toAmount(row);
      return toAmount((await this.sql.read(sql, names))[0]);
    });
  }

  /** Fills in the size of rows that an instance of an older version has stored. @returns the number of rows */
  async #fillMissingSizes(index: string, where: string, names: readonly SqlValue[]): Promise<number> {
    const rows = await this.sql.read(
      dynamic(
        `SELECT id FROM messages ${this.sql.dialect.forceIndex(index)}
         WHERE ${where} AND body_bytes IS NULL LIMIT ${FILL_BATCH_SIZE}`,
      ),
      names,
    );
    if (rows.length === 0) return 0;
    const length = this.sql.dialect.bodyBytes.replace('m.', '');
    const ids = rows.map((row) => getInteger(row, 'id'));
    const fill = dynamic(`UPDATE messages SET body_bytes = ${length} WHERE id ${inList(ids.length)}`);
    return (await this.sql.write(fill, ids)).changes;
  }
}

function isMissingSizes(row: SqlRow | undefined): boolean {
  return getCount(row, 'known') < getCount(row, 'messages');
}

function toAmount(row: SqlRow | undefined): StorageAmount {
  return { messages: getCount(row, 'messages'), bytes: getCount(row, 'bytes') };
}
