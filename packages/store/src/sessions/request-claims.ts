import { retryContention } from '../client/retry-contention.js';
import { dynamic, prepared, type SqlClient, type SqlValue } from '../client/sql-client.js';
import { listRows } from '../client/sql-text.js';
import { StatementQueue } from '../client/statement-queue.js';
import { classifySqlError } from '../client/translate-error.js';
import type { RequestClaim } from '../messages/message-store.js';

const INSERT_HEAD = 'INSERT INTO request_claims (claim_key, expires_at) VALUES ';
const INSERT_ROW = '(?, ?)';
const INSERT_ONE = prepared(INSERT_HEAD + INSERT_ROW);
const MAX_BATCH = 256;
/** A third of the default pool. Claims that wait share the next statement, so more would not be faster. */
const MAX_RUNNING = 3;

interface PendingClaim {
  readonly claim: RequestClaim;
  readonly resolve: (first: boolean) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Claims of requests. Every request needs one, so claims of the same turn of the event loop share a statement. Only when it
 * fails because one of them exists already, each is inserted by itself.
 */
export class RequestClaims {
  readonly #claims = new StatementQueue<PendingClaim>({
    maxBatchSize: MAX_BATCH,
    maxRunning: MAX_RUNNING,
    run: (group) => this.#insert(group),
    giveUp: (group) => {
      for (const { reject } of group) reject(new Error('The claims before this one were not answered in time.'));
    },
  });

  constructor(private readonly sql: SqlClient) {}

  /** @returns true the first time, then false. Rejects with the driver's errors */
  claim(claim: RequestClaim): Promise<boolean> {
    return new Promise((resolve, reject) => this.#claims.add({ claim, resolve, reject }));
  }

  /** Never rejects. */
  async #insert(group: readonly PendingClaim[]): Promise<void> {
    const sql = group.length === 1 ? INSERT_ONE : dynamic(INSERT_HEAD + listRows(INSERT_ROW, group.length));
    const values = group.flatMap(({ claim }) => this.#toValues(claim));
    try {
      await retryContention(() => this.sql.write(sql, values));
      for (const { resolve } of group) resolve(true);
    } catch (error) {
      if (classifySqlError(error) !== 'duplicate') for (const { reject } of group) reject(error);
      else if (group.length > 1) await Promise.all(group.map((pending) => this.#insert([pending])));
      else for (const { resolve } of group) resolve(false);
    }
  }

  #toValues(claim: RequestClaim): SqlValue[] {
    return [Buffer.from(claim.key), this.sql.toSqlTime(claim.expiresAt)];
  }
}
