import { createHash } from 'node:crypto';
import { encodeName, type Sql, type SqlRow, type SqlRunner, type SqlValue, varying } from './sql-client.js';
import { sqlErrorKind } from './translate-error.js';

/** An output of a transaction. */
export interface AdvertisedIn {
  /** 64 hex characters. */
  readonly txid: string;
  readonly outputIndex: number;
}

/** What decides where an advertisement stands among others. */
export interface AdvertisementStanding {
  /** Of the block that its transaction is in; undefined without a merkle path. */
  readonly height?: number | undefined;
  /** How many advertisements of the same transaction come before it. */
  readonly nth?: number;
  /** Whether its transaction spends an advertisement of the same identity: then nobody else can have made it. */
  readonly isAuthored?: boolean;
}

/** A table of advertisements. */
export interface AdvertisementTable {
  readonly name: 'overlay_message_box_ads' | 'overlay_service_ads';
  /** The columns of what its rows say, without who says it. */
  readonly about: readonly string[];
}

/** Of what one identity says: more of one kind of thing are of no use to anybody. */
const MAX_STATEMENTS = 100;
/** Copies of one statement that are held, of those in a block and of the others. */
const MAX_COPIES = 20;
/** Added for being in a block: before everything that is not. */
const PROVEN = 1_000;
const MAX_NTH = 999;
const UNPROVEN_HEIGHT = -1;
/** In no answer: what was revoked, said again by a transaction in no block that anybody can have made. */
const HIDDEN = -1;

/**
 * The rows of advertisements, and where each stands in answers. Everybody can put somebody's signed advertisement into
 * an output once more: so a copy in no block is as old as what it copies, is in no answer once that was revoked, and takes
 * no place from anything in a block. What an identity may have is counted by what it has signed, and not by its copies.
 * Rejects with what the driver said.
 *
 * @param sql the database, or a transaction to take part in
 */
export class AdvertisementRows {
  constructor(
    private readonly sql: SqlRunner,
    private readonly table: AdvertisementTable,
  ) {}

  /**
   * Again does no harm.
   *
   * @param about in the order of the table's columns
   * @param createdAt milliseconds since 1970
   */
  async add(
    { txid, outputIndex }: AdvertisedIn,
    identityKey: string,
    about: readonly string[],
    createdAt: number,
    { height = UNPROVEN_HEIGHT, nth = 0, isAuthored = false }: AdvertisementStanding,
  ): Promise<void> {
    const isCopyable = height === UNPROVEN_HEIGHT && !isAuthored;
    const isHidden = isCopyable && (await this.#isRevoked(identityKey, about, txid));
    const place = MAX_NTH - Math.min(nth, MAX_NTH);
    const standing = isHidden ? HIDDEN : place + (height === UNPROVEN_HEIGHT ? 0 : PROVEN);
    const rankedAt = isCopyable ? Math.min(createdAt, await this.#knownSince(identityKey, about)) : createdAt;
    const columns = ['txid', 'output_index', 'created_at', 'ranked_at', 'height', 'standing', ...this.#said];
    const values = [id(txid), outputIndex, createdAt, rankedAt, height, standing, ...said(identityKey, about)];
    const places = columns.map(() => '?').join(', ');
    try {
      await this.sql.write(
        varying(`INSERT INTO ${this.table.name} (${columns.join(', ')}) VALUES (${places})`),
        values,
      );
    } catch (error) {
      if (sqlErrorKind(error) !== 'duplicate') throw error;
    }
  }

  /** One that isn't there is no error. */
  async remove({ txid, outputIndex }: AdvertisedIn): Promise<void> {
    await this.sql.write(varying(`DELETE FROM ${this.table.name} WHERE txid = ? AND output_index = ?`), [
      id(txid),
      outputIndex,
    ]);
  }

  /** The transaction is in a block of this height, by what has become known now. */
  async prove(txid: string, height: number): Promise<void> {
    const standing = `CASE WHEN standing < 0 THEN ${PROVEN + MAX_NTH} WHEN standing < ${PROVEN} THEN standing + ${PROVEN} ELSE standing END`;
    const text = `UPDATE ${this.table.name} SET height = ?, standing = ${standing} WHERE txid = ?`;
    await this.sql.write(varying(text), [height, id(txid)]);
  }

  /** Remembers that the identity does not say so any more. Again does no harm. */
  async revoke(identityKey: string, about: readonly string[], spentBy: string): Promise<void> {
    const values = [this.#digest(identityKey, about), id(spentBy), encodeName(this.table.name)];
    try {
      await this.sql.write(
        varying('INSERT INTO overlay_revocations (said, spending_txid, topic) VALUES (?, ?, ?)'),
        values,
      );
    } catch (error) {
      if (sqlErrorKind(error) !== 'duplicate') throw error;
    }
  }

  /** The transaction that has revoked something is not in the chain after all. */
  async restore(spentBy: string): Promise<void> {
    const text = 'DELETE FROM overlay_revocations WHERE spending_txid = ? AND topic = ?';
    await this.sql.write(varying(text), [id(spentBy), encodeName(this.table.name)]);
  }

  /**
   * What has to leave now that the identity has said this, or somebody for it:
   *
   * - of copies in no block, the last ones of who has brought most of them; of those in blocks, the oldest;
   * - of what the identity says, the oldest, and all that is in no block before anything that is in one.
   */
  async surplus(identityKey: string, about: readonly string[]): Promise<AdvertisedIn[]> {
    return [...(await this.#surplusOfCopies(identityKey, about)), ...(await this.#surplusOfStatements(identityKey))];
  }

  async #surplusOfCopies(identityKey: string, about: readonly string[]): Promise<AdvertisedIn[]> {
    const rows = await this.sql.read(
      varying(
        `SELECT a.txid, a.output_index, a.height, t.submitter FROM ${this.table.name} a
         LEFT JOIN overlay_transactions t ON t.txid = a.txid WHERE ${this.#isSaid('a.')}
         ORDER BY a.height DESC, a.id`,
      ),
      said(identityKey, about),
    );
    const proven = rows.filter((row) => Number(row['height']) >= 0);
    const unproven = rows.filter((row) => Number(row['height']) < 0);
    const surplus = proven.slice(MAX_COPIES);
    while (unproven.length > MAX_COPIES) surplus.push(...unproven.splice(lastOfBusiest(unproven), 1));
    return surplus.map(outpointOf);
  }

  async #surplusOfStatements(identityKey: string): Promise<AdvertisedIn[]> {
    const columns = this.#said.join(', ');
    const groups = await this.sql.read(
      varying(
        `SELECT ${columns}, MAX(height) AS height, MAX(ranked_at) AS ranked_at, MIN(id) AS first_id
         FROM ${this.table.name} WHERE identity_key = ? GROUP BY ${columns}`,
      ),
      [encodeName(identityKey)],
    );
    if (groups.length <= MAX_STATEMENTS) return [];
    const worstFirst = groups.sort(
      (a, b) =>
        Number(a['height']) - Number(b['height']) ||
        Number(a['ranked_at']) - Number(b['ranked_at']) ||
        Number(a['first_id']) - Number(b['first_id']),
    );
    const surplus: AdvertisedIn[] = [];
    for (const group of worstFirst.slice(0, groups.length - MAX_STATEMENTS)) {
      const values = this.#said.map((column) => group[column] as SqlValue);
      const text = `SELECT txid, output_index FROM ${this.table.name} WHERE ${this.#isSaid()}`;
      surplus.push(...(await this.sql.read(varying(text), values)).map(outpointOf));
    }
    return surplus;
  }

  async #knownSince(identityKey: string, about: readonly string[]): Promise<number> {
    const text = `SELECT MIN(ranked_at) AS since FROM ${this.table.name} WHERE ${this.#isSaid()}`;
    const [row] = await this.sql.read(varying(text), said(identityKey, about));
    const since = row?.['since'];
    return since === null || since === undefined ? Number.POSITIVE_INFINITY : Number(since);
  }

  async #isRevoked(identityKey: string, about: readonly string[], txid: string): Promise<boolean> {
    const statement: Sql = varying('SELECT 1 FROM overlay_revocations WHERE said = ? AND spending_txid <> ? LIMIT 1');
    return (await this.sql.read(statement, [this.#digest(identityKey, about), id(txid)])).length > 0;
  }

  get #said(): string[] {
    return ['identity_key', ...this.table.about];
  }

  #isSaid(prefix = ''): string {
    return this.#said.map((column) => `${prefix}${column} = ?`).join(' AND ');
  }

  #digest(identityKey: string, about: readonly string[]): Buffer {
    return createHash('sha256')
      .update(JSON.stringify([this.table.name, identityKey, ...about]))
      .digest();
  }
}

/** The index of the last one of who has brought most of them. */
function lastOfBusiest(rows: readonly SqlRow[]): number {
  const bySubmitter = new Map<string, number[]>();
  for (const [index, row] of rows.entries()) {
    const submitter = row['submitter'];
    const key = submitter instanceof Uint8Array ? Buffer.from(submitter).toString('hex') : '';
    bySubmitter.set(key, [...(bySubmitter.get(key) ?? []), index]);
  }
  const busiest = [...bySubmitter.values()].reduce((most, indexes) => (indexes.length > most.length ? indexes : most));
  return busiest.at(-1) ?? rows.length - 1;
}

function said(identityKey: string, about: readonly string[]): Buffer[] {
  return [identityKey, ...about].map(encodeName);
}

function outpointOf(row: SqlRow): AdvertisedIn {
  return { txid: Buffer.from(row['txid'] as Uint8Array).toString('hex'), outputIndex: Number(row['output_index']) };
}

function id(txid: string): Buffer {
  return Buffer.from(txid, 'hex');
}
