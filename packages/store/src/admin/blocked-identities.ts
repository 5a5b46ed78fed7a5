import { retryContention } from '../client/retry-contention.js';
import { getCount, getInteger, getName, getOptionalText } from '../client/rows.js';
import { prepared, type SqlClient, type SqlRow, type SqlRunner, toBinaryName } from '../client/sql-client.js';
import { TooManyBlockedError } from '../client/store-errors.js';
import { classifySqlError, withStoreErrors } from '../client/translate-error.js';
import { appendAudit } from './audit-log.js';

/** The most identities that may be blocked: every instance keeps all of them in memory. */
export const MAX_BLOCKED_IDENTITIES = 10_000;

/** A block of an identity. */
export interface Block {
  readonly since: Date;
  /** The operator's identity key. */
  readonly by: string;
  readonly reason: string | undefined;
}

const SELECT_KEYS = prepared(`SELECT identity_key FROM blocked_identities LIMIT ${MAX_BLOCKED_IDENTITIES}`);
const SELECT_ONE = prepared('SELECT blocked_at, blocked_by, reason FROM blocked_identities WHERE identity_key = ?');
const COUNT = prepared('SELECT COUNT(*) AS n FROM blocked_identities');
const INSERT = prepared(
  'INSERT INTO blocked_identities (identity_key, blocked_at, blocked_by, reason) VALUES (?, ?, ?, ?)',
);
const DELETE = prepared('DELETE FROM blocked_identities WHERE identity_key = ?');

/**
 * Identities that may not use this server. A change and its entry in the audit log are one transaction. All methods throw
 * {@link StoreUnavailableError}, and nothing else that is not named.
 */
export class BlockedIdentities {
  constructor(private readonly sql: SqlClient) {}

  /** The keys of all blocked identities. */
  listKeys(): Promise<string[]> {
    return withStoreErrors(async () =>
      (await this.sql.read(SELECT_KEYS, [])).map((row) => getName(row, 'identity_key')),
    );
  }

  /** The block of an identity; undefined when it is not blocked. */
  find(identityKey: string): Promise<Block | undefined> {
    return withStoreErrors(() => find(this.sql, identityKey));
  }

  /**
   * Blocks an identity. One that is blocked already stays as it is, and nothing is recorded.
   *
   * @param by the operator's identity key
   * @throws {TooManyBlockedError}
   */
  block(identityKey: string, { by, reason }: Pick<Block, 'by' | 'reason'>, now = new Date()): Promise<Block> {
    const insert = (runner: SqlRunner) => this.#insert(runner, identityKey, { since: now, by, reason });
    return withStoreErrors(async () => {
      try {
        return await retryContention(() => this.sql.transaction(insert));
      } catch (error) {
        // Another operator was faster.
        const known = classifySqlError(error) === 'duplicate' ? await find(this.sql, identityKey) : undefined;
        if (known === undefined) throw error;
        return known;
      }
    });
  }

  /** Ends a block. @returns false when the identity was not blocked; then nothing is recorded */
  unblock(identityKey: string, operator: string): Promise<boolean> {
    const remove = async (runner: SqlRunner) => {
      const { changes } = await runner.write(DELETE, [toBinaryName(identityKey)]);
      if (changes > 0) await appendAudit(runner, { operator, action: 'unblock', subject: identityKey, details: {} });
      return changes > 0;
    };
    return withStoreErrors(() => retryContention(() => this.sql.transaction(remove)));
  }

  async #insert(runner: SqlRunner, identityKey: string, block: Block): Promise<Block> {
    const known = await find(runner, identityKey);
    if (known !== undefined) return known;
    const [counted] = await runner.read(COUNT, []);
    if (getCount(counted, 'n') >= MAX_BLOCKED_IDENTITIES) throw new TooManyBlockedError(MAX_BLOCKED_IDENTITIES);
    const { since, by, reason } = block;
    await runner.write(INSERT, [toBinaryName(identityKey), since.getTime(), toBinaryName(by), reason ?? null]);
    const details = reason === undefined ? {} : { reason };
    await appendAudit(runner, { operator: by, action: 'block', subject: identityKey, details }, since);
    return block;
  }
}

async function find(runner: SqlRunner, identityKey: string): Promise<Block | undefined> {
  const [row] = await runner.read(SELECT_ONE, [toBinaryName(identityKey)]);
  return row && toBlock(row);
}

function toBlock(row: SqlRow): Block {
  return {
    since: new Date(getInteger(row, 'blocked_at')),
    by: getName(row, 'blocked_by'),
    reason: getOptionalText(row, 'reason'),
  };
}
