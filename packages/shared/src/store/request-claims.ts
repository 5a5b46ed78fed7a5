import type { RequestClaim } from './message-store.js';
import { PerTurn } from './per-turn.js';
import { retryContention } from './retry-contention.js';
import { fixed, type SqlClient, type SqlValue, varying } from './sql-client.js';
import { sqlErrorKind } from './translate-error.js';

const INSERT_HEAD = 'INSERT INTO request_claims (claim_key, expires_at) VALUES ';
const INSERT_ROW = '(?, ?)';
const INSERT_ONE = fixed(INSERT_HEAD + INSERT_ROW);
const MOST_AT_ONCE = 256;

interface PendingClaim {
  readonly claim: RequestClaim;
  readonly resolve: (first: boolean) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Claims of requests. Every request needs one, so those that come in the same turn of the event loop share a statement;
 * only when one of them was there before is each asked for by itself.
 */
export class RequestClaims {
  readonly #claims = new PerTurn<PendingClaim>(MOST_AT_ONCE, (group) => void this.#insert(group));

  constructor(private readonly sql: SqlClient) {}

  /** @returns true the first time; rejects with what the driver said */
  claim(claim: RequestClaim): Promise<boolean> {
    return new Promise((resolve, reject) => this.#claims.add({ claim, resolve, reject }));
  }

  async #insert(group: readonly PendingClaim[]): Promise<void> {
    if (group.length > 1 && (await this.#insertTogether(group))) return;
    await Promise.all(group.map((pending) => this.#insertOne(pending)));
  }

  /** @returns false when that is not possible, for whatever reason; nothing was inserted then */
  async #insertTogether(group: readonly PendingClaim[]): Promise<boolean> {
    const sql = varying(INSERT_HEAD + group.map(() => INSERT_ROW).join(', '));
    try {
      await this.sql.write(
        sql,
        group.flatMap(({ claim }) => this.#values(claim)),
      );
    } catch {
      return false;
    }
    for (const { resolve } of group) resolve(true);
    return true;
  }

  async #insertOne({ claim, resolve, reject }: PendingClaim): Promise<void> {
    try {
      await retryContention(() => this.sql.write(INSERT_ONE, this.#values(claim)));
      resolve(true);
    } catch (error) {
      if (sqlErrorKind(error) === 'duplicate') resolve(false);
      else reject(error);
    }
  }

  #values(claim: RequestClaim): SqlValue[] {
    return [Buffer.from(claim.key), this.sql.time(claim.expiresAt)];
  }
}
