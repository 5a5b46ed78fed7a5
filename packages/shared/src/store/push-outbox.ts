import { randomBytes } from 'node:crypto';
import type { NewMessage } from './message-store.js';
import { retryContention } from './retry-contention.js';
import { decodeName, encodeName, fixed, type SqlClient, type SqlRunner, type SqlValue, varying } from './sql-client.js';
import { withStoreErrors } from './translate-error.js';

/** A message that its recipient's devices are to be told of. */
export interface OutboxRow {
  readonly id: number;
  readonly recipient: string;
  readonly sender: string;
  readonly messageId: string;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
}

const TABLE = 'push_outbox';
const INSERT_HEAD = `INSERT INTO ${TABLE} (recipient, sender, message_id, created_at) VALUES `;
const INSERT_ROW = '(?, ?, ?, ?)';
const INSERT_ONE = fixed(INSERT_HEAD + INSERT_ROW);
const ROWS_PER_STATEMENT = 200;
/** How often a claim tries again because others were faster with the rows that it saw. */
const CLAIM_ATTEMPTS = 5;

/**
 * What is to be pushed, beside the messages. All methods but `add` throw {@link StoreUnavailableError} and nothing else.
 *
 * Several instances take rows out at once: `claim` gives a row to one of them, until its time is up, `extend` gives it more
 * time, and `remove` ends it.
 */
export class PushOutbox {
  constructor(private readonly sql: SqlClient) {}

  /** Writes a row for each message, in the transaction of `runner`. Rejects with what the driver said. */
  async add(runner: SqlRunner, messages: readonly NewMessage[], now = Date.now()): Promise<void> {
    for (let start = 0; start < messages.length; start += ROWS_PER_STATEMENT) {
      const chunk = messages.slice(start, start + ROWS_PER_STATEMENT);
      const sql = chunk.length === 1 ? INSERT_ONE : varying(INSERT_HEAD + chunk.map(() => INSERT_ROW).join(', '));
      await runner.write(
        sql,
        chunk.flatMap(({ recipient, sender, messageId }) => [
          encodeName(recipient),
          encodeName(sender),
          encodeName(messageId),
          now,
        ]),
      );
    }
  }

  /**
   * The oldest rows that nobody is busy with, which nobody else gets for so long.
   *
   * @returns at most `limit`; none when there are none
   */
  claim(limit: number, leaseMs: number, now = Date.now()): Promise<OutboxRow[]> {
    return withStoreErrors(async () => {
      const owner = randomBytes(16);
      const free = varying(`SELECT id FROM ${TABLE} WHERE claimed_until <= ? ORDER BY id LIMIT ${Math.trunc(limit)}`);
      for (let attempt = 1; attempt <= CLAIM_ATTEMPTS; attempt++) {
        const ids = (await this.sql.read(free, [now])).map((row) => Number(row['id']));
        if (ids.length === 0) return [];
        const places = ids.map(() => '?').join(', ');
        const { changes } = await retryContention(() =>
          this.sql.write(
            varying(
              `UPDATE ${TABLE} SET claimed_until = ?, claimed_by = ? WHERE id IN (${places}) AND claimed_until <= ?`,
            ),
            [now + leaseMs, owner, ...ids, now],
          ),
        );
        if (changes > 0) return await this.#claimedBy(owner, ids);
      }
      return [];
    });
  }

  /** Keeps claimed rows for so long from now on. */
  extend(ids: readonly number[], leaseMs: number, now = Date.now()): Promise<void> {
    return this.#change(`UPDATE ${TABLE} SET claimed_until = ?`, ids, [now + leaseMs]);
  }

  /** Gives claimed rows back, for whoever comes next. */
  release(ids: readonly number[]): Promise<void> {
    return this.#change(`UPDATE ${TABLE} SET claimed_until = 0, claimed_by = NULL`, ids);
  }

  /** They are done. */
  remove(ids: readonly number[]): Promise<void> {
    return this.#change(`DELETE FROM ${TABLE}`, ids);
  }

  /**
   * Drops those of the `atOnce` first that came before this time and that nobody is busy with.
   *
   * @returns how many
   */
  dropOlder(before: number, atOnce: number, now = Date.now()): Promise<number> {
    return withStoreErrors(async () => {
      // By id, as they came: needs no index on times, and locks no row that stays.
      const first = varying(`SELECT id, created_at FROM ${TABLE} ORDER BY id LIMIT ${Math.trunc(atOnce)}`);
      const rows = await this.sql.read(first, []);
      const ids = rows.filter((row) => Number(row['created_at']) < before).map((row) => Number(row['id']));
      if (ids.length === 0) return 0;
      const places = ids.map(() => '?').join(', ');
      const drop = varying(`DELETE FROM ${TABLE} WHERE id IN (${places}) AND claimed_until <= ?`);
      return (await retryContention(() => this.sql.write(drop, [...ids, now]))).changes;
    });
  }

  /** How many there are, claimed or not; counts no further than `most`. */
  size(most: number): Promise<number> {
    return withStoreErrors(async () => {
      const sql = varying(`SELECT COUNT(*) AS n FROM (SELECT id FROM ${TABLE} LIMIT ${Math.trunc(most)}) AS counted`);
      const [row] = await this.sql.read(sql, []);
      return Number(row?.['n'] ?? 0);
    });
  }

  async #claimedBy(owner: Buffer, ids: readonly number[]): Promise<OutboxRow[]> {
    const places = ids.map(() => '?').join(', ');
    const rows = await this.sql.read(
      varying(
        `SELECT id, recipient, sender, message_id, created_at FROM ${TABLE}
         WHERE id IN (${places}) AND claimed_by = ? ORDER BY id`,
      ),
      [...ids, owner],
    );
    return rows.map((row) => ({
      id: Number(row['id']),
      recipient: decodeName(row['recipient']),
      sender: decodeName(row['sender']),
      messageId: decodeName(row['message_id']),
      createdAt: Number(row['created_at']),
    }));
  }

  #change(statement: string, ids: readonly number[], values: readonly SqlValue[] = []): Promise<void> {
    return withStoreErrors(async () => {
      if (ids.length === 0) return;
      const sql = varying(`${statement} WHERE id IN (${ids.map(() => '?').join(', ')})`);
      await retryContention(() => this.sql.write(sql, [...values, ...ids]));
    });
  }
}
