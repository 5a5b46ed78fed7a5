import { createHash } from 'node:crypto';
import { getBytes, getHex, getInteger, getOptionalInteger } from '../client/rows.js';
import { dynamic, type Sql, type SqlRow, type SqlRunner, toBinaryName } from '../client/sql-client.js';
import { listPlaceholders } from '../client/sql-text.js';
import { classifySqlError } from '../client/translate-error.js';

/** An output of a transaction. */
export interface AdvertisementOutpoint {
  /** 64 hex characters. */
  readonly txid: string;
  readonly outputIndex: number;
}

/** The facts that decide the rank of an advertisement among others. */
export interface AdvertisementStanding {
  /** The height of its transaction's block; undefined without a merkle path. */
  readonly height?: number | undefined;
  /** The number of advertisements before it in the same transaction. */
  readonly nth?: number;
  /** Whether its transaction spends an advertisement of the same identity. Then nobody else can have made it. */
  readonly isAuthored?: boolean;
}

/** A table of advertisements. */
export interface AdvertisementTable {
  readonly name: 'overlay_message_box_ads' | 'overlay_service_ads';
  /** The columns of the statement, without `identity_key`. */
  readonly statementColumns: readonly string[];
}

/** Most different statements of one identity in one table. */
const MAX_STATEMENTS = 100;
/** Most copies of one statement: this many in blocks, and this many in no block. */
const MAX_COPIES = 20;
/** Added to the standing when the transaction is in a block, so that it ranks above all that are not. */
const PROVEN_BONUS = 1_000;
const MAX_NTH = 999;
const UNPROVEN_HEIGHT = -1;
/** In no answer: a copy of a revoked statement in no block, which anybody can have made. */
const HIDDEN_STANDING = -1;

/**
 * The rows of advertisements, and the rank of each in answers. Anybody can copy a signed advertisement into another output.
 * Therefore a copy in no block is as old as its original, is in no answer once the statement was revoked, and doesn't
 * displace an advertisement in a block. The limit of an identity counts its signed statements and not the copies. Rejects
 * with the driver's errors.
 *
 * @param sql the database, or a transaction in which to run
 */
export class AdvertisementRows {
  constructor(
    private readonly sql: SqlRunner,
    private readonly table: AdvertisementTable,
  ) {}

  /**
   * Adds an advertisement. Idempotent.
   *
   * @param statement the values of `statementColumns`, in their order
   * @param createdAt milliseconds since 1970
   */
  async add(
    { txid, outputIndex }: AdvertisementOutpoint,
    identityKey: string,
    statement: readonly string[],
    createdAt: number,
    { height = UNPROVEN_HEIGHT, nth = 0, isAuthored = false }: AdvertisementStanding,
  ): Promise<void> {
    const isCopyable = height === UNPROVEN_HEIGHT && !isAuthored;
    const isHidden = isCopyable && (await this.#isRevoked(identityKey, statement, txid));
    const nthBonus = MAX_NTH - Math.min(nth, MAX_NTH);
    const standing = isHidden ? HIDDEN_STANDING : nthBonus + (height === UNPROVEN_HEIGHT ? 0 : PROVEN_BONUS);
    const rankedAt = isCopyable
      ? Math.min(createdAt, await this.#readFirstKnownTime(identityKey, statement))
      : createdAt;
    const columns = ['txid', 'output_index', 'created_at', 'ranked_at', 'height', 'standing', ...this.#columns];
    const values = [
      toTxidBytes(txid),
      outputIndex,
      createdAt,
      rankedAt,
      height,
      standing,
      ...toStatementValues(identityKey, statement),
    ];
    const placeholders = listPlaceholders(columns.length);
    try {
      await this.sql.write(
        dynamic(`INSERT INTO ${this.table.name} (${columns.join(', ')}) VALUES (${placeholders})`),
        values,
      );
    } catch (error) {
      if (classifySqlError(error) !== 'duplicate') throw error;
    }
  }

  /** Removes an advertisement if it exists. */
  async remove({ txid, outputIndex }: AdvertisementOutpoint): Promise<void> {
    await this.sql.write(dynamic(`DELETE FROM ${this.table.name} WHERE txid = ? AND output_index = ?`), [
      toTxidBytes(txid),
      outputIndex,
    ]);
  }

  /** Records that the transaction is in a block of this height. */
  async markProven(txid: string, height: number): Promise<void> {
    const standing = `CASE WHEN standing < 0 THEN ${PROVEN_BONUS + MAX_NTH} WHEN standing < ${PROVEN_BONUS} THEN standing + ${PROVEN_BONUS} ELSE standing END`;
    const text = `UPDATE ${this.table.name} SET height = ?, standing = ${standing} WHERE txid = ?`;
    await this.sql.write(dynamic(text), [height, toTxidBytes(txid)]);
  }

  /** Records that the identity has revoked the statement. Idempotent. */
  async revoke(identityKey: string, statement: readonly string[], spentBy: string): Promise<void> {
    const values = [this.#hashStatement(identityKey, statement), toTxidBytes(spentBy), toBinaryName(this.table.name)];
    try {
      await this.sql.write(
        dynamic('INSERT INTO overlay_revocations (said, spending_txid, topic) VALUES (?, ?, ?)'),
        values,
      );
    } catch (error) {
      if (classifySqlError(error) !== 'duplicate') throw error;
    }
  }

  /** Deletes the revocations by a transaction that is not in the chain any more. */
  async removeRevocation(spentBy: string): Promise<void> {
    const text = 'DELETE FROM overlay_revocations WHERE spending_txid = ? AND topic = ?';
    await this.sql.write(dynamic(text), [toTxidBytes(spentBy), toBinaryName(this.table.name)]);
  }

  /**
   * The rows above the limits, after an advertisement with this statement was added:
   *
   * - copies of the statement: in no block, the latest of the submitter with most copies; in blocks, the oldest;
   * - statements of the identity: first those in no block, then those in blocks, the oldest of each first.
   */
  async findSurplus(identityKey: string, statement: readonly string[]): Promise<AdvertisementOutpoint[]> {
    return [
      ...(await this.#findSurplusCopies(identityKey, statement)),
      ...(await this.#findSurplusStatements(identityKey)),
    ];
  }

  async #findSurplusCopies(identityKey: string, statement: readonly string[]): Promise<AdvertisementOutpoint[]> {
    const rows = await this.sql.read(
      dynamic(
        `SELECT a.txid, a.output_index, a.height, t.submitter FROM ${this.table.name} a
         LEFT JOIN overlay_transactions t ON t.txid = a.txid WHERE ${this.#buildCondition('a.')}
         ORDER BY a.height DESC, a.id`,
      ),
      toStatementValues(identityKey, statement),
    );
    const proven = rows.filter((row) => getInteger(row, 'height') >= 0);
    const unproven = rows.filter((row) => getInteger(row, 'height') < 0);
    const surplus = proven.slice(MAX_COPIES);
    while (unproven.length > MAX_COPIES) surplus.push(...unproven.splice(findLastOfBusiestSubmitter(unproven), 1));
    return surplus.map(toOutpoint);
  }

  async #findSurplusStatements(identityKey: string): Promise<AdvertisementOutpoint[]> {
    const columns = this.#columns.join(', ');
    const groups = await this.sql.read(
      dynamic(
        `SELECT ${columns}, MAX(height) AS height, MAX(ranked_at) AS ranked_at, MIN(id) AS first_id
         FROM ${this.table.name} WHERE identity_key = ? GROUP BY ${columns}`,
      ),
      [toBinaryName(identityKey)],
    );
    if (groups.length <= MAX_STATEMENTS) return [];
    const worstFirst = groups.sort(
      (a, b) =>
        getInteger(a, 'height') - getInteger(b, 'height') ||
        getInteger(a, 'ranked_at') - getInteger(b, 'ranked_at') ||
        getInteger(a, 'first_id') - getInteger(b, 'first_id'),
    );
    const surplus: AdvertisementOutpoint[] = [];
    for (const group of worstFirst.slice(0, groups.length - MAX_STATEMENTS)) {
      const values = this.#columns.map((column) => getBytes(group, column));
      const text = `SELECT txid, output_index FROM ${this.table.name} WHERE ${this.#buildCondition()}`;
      surplus.push(...(await this.sql.read(dynamic(text), values)).map(toOutpoint));
    }
    return surplus;
  }

  async #readFirstKnownTime(identityKey: string, statement: readonly string[]): Promise<number> {
    const text = `SELECT MIN(ranked_at) AS since FROM ${this.table.name} WHERE ${this.#buildCondition()}`;
    const [row] = await this.sql.read(dynamic(text), toStatementValues(identityKey, statement));
    const since = row === undefined ? undefined : getOptionalInteger(row, 'since');
    return since ?? Number.POSITIVE_INFINITY;
  }

  async #isRevoked(identityKey: string, about: readonly string[], txid: string): Promise<boolean> {
    const statement: Sql = dynamic('SELECT 1 FROM overlay_revocations WHERE said = ? AND spending_txid <> ? LIMIT 1');
    return (await this.sql.read(statement, [this.#hashStatement(identityKey, about), toTxidBytes(txid)])).length > 0;
  }

  get #columns(): string[] {
    return ['identity_key', ...this.table.statementColumns];
  }

  #buildCondition(prefix = ''): string {
    return this.#columns.map((column) => `${prefix}${column} = ?`).join(' AND ');
  }

  #hashStatement(identityKey: string, statement: readonly string[]): Buffer {
    return createHash('sha256')
      .update(JSON.stringify([this.table.name, identityKey, ...statement]))
      .digest();
  }
}

/** The index of the last row of the submitter with most rows. */
function findLastOfBusiestSubmitter(rows: readonly SqlRow[]): number {
  const bySubmitter = new Map<string, number[]>();
  for (const [index, row] of rows.entries()) {
    const submitter = row['submitter'];
    const key = submitter instanceof Uint8Array ? Buffer.from(submitter).toString('hex') : '';
    bySubmitter.set(key, [...(bySubmitter.get(key) ?? []), index]);
  }
  const busiest = [...bySubmitter.values()].reduce((most, indexes) => (indexes.length > most.length ? indexes : most));
  return busiest.at(-1) ?? rows.length - 1;
}

function toStatementValues(identityKey: string, statement: readonly string[]): Buffer[] {
  return [identityKey, ...statement].map(toBinaryName);
}

function toOutpoint(row: SqlRow): AdvertisementOutpoint {
  return { txid: getHex(row, 'txid'), outputIndex: getInteger(row, 'output_index') };
}

function toTxidBytes(txid: string): Buffer {
  return Buffer.from(txid, 'hex');
}
