import {
  classifySqlError,
  dynamic,
  retryContention,
  type SqlClient,
  type SqlRow,
  type SqlRunner,
  toBinaryName,
  translateError,
} from '@messagebox/store';
import type { Outpoint } from '@messagebox/transactions';
import { splitIntoChunks, txidToBytes } from './rows.js';

/**
 * Runs the statements of the overlay's tables.
 *
 * Outside of a transaction its methods retry contention and throw {@link StoreUnavailableError}. Inside, they throw the
 * driver's errors, since only the whole transaction can be repeated.
 */
export class OverlaySql {
  /** @param runner the transaction to take part in; default: none */
  constructor(
    readonly client: SqlClient,
    private readonly runner: SqlRunner = client,
  ) {}

  read(...call: Parameters<SqlRunner['read']>): Promise<SqlRow[]> {
    return this.#withStoreErrors(() => this.runner.read(...call));
  }

  write(...call: Parameters<SqlRunner['write']>): ReturnType<SqlRunner['write']> {
    return this.#withStoreErrors(() => this.runner.write(...call));
  }

  /** @returns false when the row exists already */
  insert(...call: Parameters<SqlRunner['write']>): Promise<boolean> {
    return this.#withStoreErrors(async () => {
      try {
        await this.runner.write(...call);
        return true;
      } catch (error) {
        if (classifySqlError(error) === 'duplicate') return false;
        throw error;
      }
    });
  }

  /**
   * Selects the rows of a topic that belong to any of the outpoints.
   *
   * @param lock the dialect's clause for locking reads
   */
  async selectByOutpoints(
    columns: string,
    table: string,
    topic: string,
    outpoints: readonly Outpoint[],
    lock = '',
  ): Promise<SqlRow[]> {
    const found: SqlRow[] = [];
    for (const chunk of splitIntoChunks(outpoints)) {
      const where = chunk.map(() => '(txid = ? AND output_index = ?)').join(' OR ');
      const values = chunk.flatMap(({ txid, outputIndex }) => [txidToBytes(txid), outputIndex]);
      const sql = dynamic(`SELECT ${columns} FROM ${table} WHERE (${where}) AND topic = ? ${lock}`);
      found.push(...(await this.read(sql, [...values, toBinaryName(topic)])));
    }
    return found;
  }

  async #withStoreErrors<T>(work: () => Promise<T>): Promise<T> {
    if (this.runner !== this.client) return await work();
    try {
      return await retryContention(work);
    } catch (error) {
      throw translateError(error);
    }
  }
}
