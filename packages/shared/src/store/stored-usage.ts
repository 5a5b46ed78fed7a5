import type { Amount } from '../quotas/index.js';
import { encodeName, fixed, type SqlClient, type SqlRow, type SqlValue, varying } from './sql-client.js';
import { withStoreErrors } from './translate-error.js';

const INBOX_INDEX = 'messages_inbox_usage_index';
const SENDER_INDEX = 'messages_sender_usage_index';
/** Counted where there is no bound on the number of messages. */
const MAX_COUNTED = 1_000_000;
/** Rows without a known size that are filled by one look. */
const MAX_FILLED = 200;

/**
 * How much is stored, summed up from the rows through indexes that hold all that is needed. Counting stops right above the
 * limit that it is compared with: whoever has stored more under another limit costs no more. All methods throw
 * {@link StoreUnavailableError} and nothing else.
 */
export class StoredUsage {
  constructor(private readonly sql: SqlClient) {}

  /** Of all boxes of a recipient. */
  inbox(recipient: string, limit: number): Promise<Amount> {
    return this.#usage(INBOX_INDEX, 'recipient = ?', [encodeName(recipient)], limit);
  }

  /** Of a sender, in anybody's boxes. */
  sender(sender: string, limit: number): Promise<Amount> {
    return this.#usage(SENDER_INDEX, 'sender = ?', [encodeName(sender)], limit);
  }

  /** Of a sender, in the boxes of one recipient. */
  pair(recipient: string, sender: string, limit: number): Promise<Amount> {
    return this.#usage(INBOX_INDEX, 'recipient = ? AND sender = ?', [recipient, sender].map(encodeName), limit);
  }

  #usage(index: string, where: string, names: readonly SqlValue[], limit: number): Promise<Amount> {
    const most = Math.min(limit, MAX_COUNTED) + 1;
    // A limit is the same for the life of a process, so this is one of few texts.
    const sql = fixed(
      `SELECT COUNT(*) AS messages, COUNT(body_bytes) AS known, SUM(body_bytes) AS bytes FROM
       (SELECT body_bytes FROM messages ${this.sql.phrases.byIndex(index)} WHERE ${where} LIMIT ${most}) AS counted`,
    );
    return withStoreErrors(async () => {
      const [row] = await this.sql.read(sql, names);
      if (!lacksSizes(row) || (await this.#fill(index, where, names)) === 0) return amountOf(row);
      return amountOf((await this.sql.read(sql, names))[0]);
    });
  }

  /** An instance of an older version stores rows without a size. @returns how many were filled */
  async #fill(index: string, where: string, names: readonly SqlValue[]): Promise<number> {
    const rows = await this.sql.read(
      varying(
        `SELECT id FROM messages ${this.sql.phrases.byIndex(index)}
         WHERE ${where} AND body_bytes IS NULL LIMIT ${MAX_FILLED}`,
      ),
      names,
    );
    if (rows.length === 0) return 0;
    const length = this.sql.phrases.bodyBytes.replace('m.', '');
    const places = rows.map(() => '?').join(', ');
    const ids = rows.map((row) => Number(row['id']));
    return (await this.sql.write(varying(`UPDATE messages SET body_bytes = ${length} WHERE id IN (${places})`), ids))
      .changes;
  }
}

function lacksSizes(row: SqlRow | undefined): boolean {
  return Number(row?.['known'] ?? 0) < Number(row?.['messages'] ?? 0);
}

function amountOf(row: SqlRow | undefined): Amount {
  return { messages: Number(row?.['messages'] ?? 0), bytes: Number(row?.['bytes'] ?? 0) };
}
