import {
  encodeName,
  fixed,
  RuleError,
  retryContention,
  type SqlClient,
  type SqlRow,
  type SqlRunner,
  sqlErrorKind,
  translateError,
  varying,
} from '@messagebox/shared';
import { type Outpoint, outpointKey } from '@messagebox/wallet';
import type { FoundEntry } from '../lookups/overlay-lookup.js';
import { type AnswerRoom, shareAnswer } from './share-answer.js';

/** What the database says of a transaction that has changed a topic. */
export interface AppliedTransaction {
  /** Whether it came with a merkle path, at first or later. */
  readonly proven: boolean;
  /** Milliseconds since 1970. */
  readonly appliedAt: number;
}

/** Somebody's spending of an output, as a topic has seen it. */
export interface Spend {
  readonly spentBy: string;
  /** Whether the topic held the output then. */
  readonly admitted: boolean;
}

/** An output of a topic as GASP lists it. */
export interface ListedOutput extends Outpoint {
  /** Milliseconds since 1970 of its admission here. */
  readonly score: number;
}

/** An output with what verifies its transaction. */
export interface FoundOutput {
  readonly beef: Buffer;
  readonly outputIndex: number;
}

/** Somebody has changed in between what was looked at before: begin anew. */
export class LostRaceError extends Error {
  override readonly name = 'LostRaceError';
}

const AT_ONCE = 100;
/** Of those that have waited longest, and of those that have waited least, to find all who have submitted them. */
const DUE_LOOKED_AT = 1_000;
/** About what a row of `overlay_spends` takes in the database, with its indexes. */
const BYTES_OF_SPEND = 256;
/** By then most transactions are in a block, which comes every ten minutes. */
const FIRST_ASKED_AFTER_MS = 900_000;

const INSERT_OUTPUT = fixed('INSERT INTO overlay_outputs (topic, txid, output_index, score) VALUES (?, ?, ?, ?)');
const OUTPUTS_OF = fixed('SELECT output_index FROM overlay_outputs WHERE txid = ? AND topic = ?');
const DELETE_OUTPUT = fixed('DELETE FROM overlay_outputs WHERE topic = ? AND txid = ? AND output_index = ?');
const INSERT_BEEF = fixed('INSERT INTO overlay_transactions (txid, bytes, beef, submitter) VALUES (?, ?, ?, ?)');
const NOT_CHARGED = fixed('UPDATE overlay_transactions SET submitter = NULL WHERE txid = ? AND submitter IS NOT NULL');
const SUM_OF_SUBMITTER = fixed('SELECT SUM(bytes) AS bytes FROM overlay_transactions WHERE submitter = ?');
const LARGEST_SUBMITTER = fixed(
  `SELECT submitter FROM overlay_transactions WHERE submitter IS NOT NULL
   GROUP BY submitter ORDER BY SUM(bytes) DESC LIMIT 1`,
);
const UPDATE_BEEF = fixed('UPDATE overlay_transactions SET bytes = ?, beef = ? WHERE txid = ?');
const SUM_BYTES = fixed('SELECT SUM(bytes) AS bytes FROM overlay_transactions');
const COUNT_SPENDS = fixed('SELECT COUNT(*) AS n FROM overlay_spends');
const FIND_BEEF = fixed('SELECT beef FROM overlay_transactions WHERE txid = ?');
const FIND_BEEF_OF_OUTPUT = fixed(
  `SELECT t.beef FROM overlay_outputs o JOIN overlay_transactions t ON t.txid = o.txid
   WHERE o.txid = ? AND o.output_index = ? LIMIT 1`,
);
/** Waits for whoever is just inserting an output of the transaction, so that its BEEF is not deleted from under it. */
const LOCK_BEEF = fixed('UPDATE overlay_transactions SET txid = txid WHERE txid = ?');
const DELETE_UNUSED_BEEF = fixed(
  'DELETE FROM overlay_transactions WHERE txid = ? AND NOT EXISTS (SELECT 1 FROM overlay_outputs o WHERE o.txid = ?)',
);
const APPLIED = 'SELECT proven, applied_at FROM overlay_applied WHERE txid = ? AND topic = ?';
const FIND_APPLIED = fixed(APPLIED);
const INSERT_APPLIED = fixed(
  'INSERT INTO overlay_applied (txid, topic, proven, applied_at, ask_at) VALUES (?, ?, ?, ?, ?)',
);
const DELETE_APPLIED = fixed('DELETE FROM overlay_applied WHERE txid = ? AND topic = ?');
const DELETE_UNPROVEN = fixed('DELETE FROM overlay_applied WHERE txid = ? AND topic = ? AND proven = 0');
const MARK_PROVEN = fixed('UPDATE overlay_applied SET proven = 1 WHERE txid = ?');
const ASK_LATER = fixed('UPDATE overlay_applied SET ask_at = ? WHERE txid = ?');
const SPENT_OUTPUTS_OF = fixed(
  'SELECT output_index, spending_txid, admitted FROM overlay_spends WHERE txid = ? AND topic = ?',
);
const SPENDS_BY = fixed(
  'SELECT txid, output_index, admitted FROM overlay_spends WHERE spending_txid = ? AND topic = ?',
);
const DELETE_SPENDS_BY = fixed('DELETE FROM overlay_spends WHERE spending_txid = ? AND topic = ?');
const FIND_SYNC_STATE = fixed('SELECT since FROM overlay_sync_state WHERE host = ? AND topic = ?');
const INSERT_SYNC_STATE = fixed('INSERT INTO overlay_sync_state (since, host, topic) VALUES (?, ?, ?)');
const UPDATE_SYNC_STATE = fixed('UPDATE overlay_sync_state SET since = ? WHERE host = ? AND topic = ?');

/**
 * What the overlay's engine keeps, in our own database. Deleting what isn't there does no harm unless it is said, so that
 * two processes may do the same at once.
 *
 * Outside of a transaction its methods throw {@link StoreUnavailableError}; inside, what the driver said.
 */
export class OverlayStorage {
  readonly #sql: SqlClient;
  readonly #runner: SqlRunner;

  constructor(sql: SqlClient, runner: SqlRunner = sql) {
    this.#sql = sql;
    this.#runner = runner;
  }

  /**
   * All or nothing. `work` is repeated when it lost a deadlock or a race for the same rows, so it must be safe to repeat
   * from its beginning; it must use what it is given, and nothing else of the database.
   *
   * @throws {RuleError} that `work` threw, and {@link StoreUnavailableError} for everything else
   */
  async transaction<T>(work: (storage: OverlayStorage, runner: SqlRunner) => Promise<T>): Promise<T> {
    const once = () => this.#sql.transaction((runner) => work(new OverlayStorage(this.#sql, runner), runner));
    try {
      return await retryRaces(() => retryContention(once));
    } catch (error) {
      throw error instanceof RuleError ? error : translateError(error);
    }
  }

  async insertOutput(topic: string, { txid, outputIndex, score }: ListedOutput): Promise<void> {
    await this.#insert(INSERT_OUTPUT, [encodeName(topic), id(txid), outputIndex, score]);
  }

  /** Those of `outpoints` that the topic holds, by {@link outpointKey}. */
  async heldAmong(topic: string, outpoints: readonly Outpoint[]): Promise<Set<string>> {
    const found = await this.#amongOutpoints('txid, output_index', 'overlay_outputs', topic, outpoints);
    return new Set(found.map((row) => outpointKey(outpointOf(row))));
  }

  /** The indexes of a transaction's outputs that the topic holds. */
  async outputsOf(txid: string, topic: string): Promise<number[]> {
    return (await this.#read(OUTPUTS_OF, [id(txid), encodeName(topic)])).map((row) => Number(row['output_index']));
  }

  /** The outputs of a topic, lowest score first. */
  async listOutputs(topic: string, since: number, limit: number): Promise<ListedOutput[]> {
    const sql = varying(
      `SELECT txid, output_index, score FROM overlay_outputs
       WHERE topic = ? AND score >= ? ORDER BY score, id LIMIT ${Math.trunc(limit)}`,
    );
    const rows = await this.#read(sql, [encodeName(topic), since]);
    return rows.map((row) => ({ ...outpointOf(row), score: Number(row['score']) }));
  }

  /**
   * And the BEEF, when this was the last output that needed it.
   *
   * @throws {LostRaceError} when it is not there
   */
  async deleteOutput(topic: string, { txid, outputIndex }: Outpoint): Promise<void> {
    const { changes } = await this.#write(DELETE_OUTPUT, [encodeName(topic), id(txid), outputIndex]);
    if (changes === 0) throw new LostRaceError();
    await this.#write(LOCK_BEEF, [id(txid)]);
    await this.#write(DELETE_UNUSED_BEEF, [id(txid), id(txid)]);
  }

  /**
   * Does nothing when the transaction is there.
   *
   * @param submitter the digest of who is charged with its bytes; undefined: nobody
   */
  async insertBeef(txid: string, beef: Uint8Array, submitter?: Buffer): Promise<void> {
    await this.#insert(INSERT_BEEF, [id(txid), beef.length, Buffer.from(beef), submitter ?? null]);
  }

  /** Bytes of transactions in no block that somebody has brought. */
  async bytesOf(submitter: Buffer): Promise<number> {
    const [row] = await this.#read(SUM_OF_SUBMITTER, [submitter]);
    return Number(row?.['bytes'] ?? 0);
  }

  /** Of who has brought most bytes that are in no block: the oldest transactions, with the topics that have applied them. */
  async oldestOfLargestSubmitter(limit: number): Promise<{ txid: string; topic: string }[]> {
    const [largest] = await this.#read(LARGEST_SUBMITTER, []);
    if (largest === undefined) return [];
    const sql = varying(
      `SELECT p.txid, p.topic FROM overlay_transactions t JOIN overlay_applied p ON p.txid = t.txid
       WHERE t.submitter = ? AND p.proven = 0 ORDER BY p.applied_at LIMIT ${Math.trunc(limit)}`,
    );
    return (await this.#read(sql, [largest['submitter'] as Buffer])).map(keyOfApplied);
  }

  async findBeef(txid: string): Promise<Buffer | undefined> {
    const [row] = await this.#read(FIND_BEEF, [id(txid)]);
    return row && (row['beef'] as Buffer);
  }

  /** Of an output that is held, whatever the topic. */
  async findBeefOfOutput({ txid, outputIndex }: Outpoint): Promise<Buffer | undefined> {
    const [row] = await this.#read(FIND_BEEF_OF_OUTPUT, [id(txid), outputIndex]);
    return row && (row['beef'] as Buffer);
  }

  /** Outputs with their BEEFs, shared out by {@link shareAnswer}. Those that don't fit, or are not there, are left out. */
  async withBeefs(entries: readonly FoundEntry[], room: AnswerRoom): Promise<FoundOutput[]> {
    const sizes = new Map<string, number>();
    for (const row of await this.#amongTxids('txid, bytes', entries)) {
      sizes.set(txidOf(row['txid']), Number(row['bytes']));
    }
    const fitting = shareAnswer(entries, (txid) => sizes.get(txid), room);
    const beefs = new Map<string, Buffer>();
    for (const row of await this.#amongTxids('txid, beef', fitting)) {
      beefs.set(txidOf(row['txid']), row['beef'] as Buffer);
    }
    return fitting.flatMap(({ txid, outputIndex }) => {
      const beef = beefs.get(txid);
      return beef === undefined ? [] : [{ beef, outputIndex }];
    });
  }

  /** @throws the driver's error when it is there already: somebody else was faster */
  async claimApplied(txid: string, topic: string, proven: boolean, now: number): Promise<void> {
    await this.#write(INSERT_APPLIED, [id(txid), encodeName(topic), proven ? 1 : 0, now, now + FIRST_ASKED_AFTER_MS]);
  }

  async findApplied(txid: string, topic: string): Promise<AppliedTransaction | undefined> {
    return (await this.#read(FIND_APPLIED, [id(txid), encodeName(topic)])).map(appliedOf)[0];
  }

  /** Waits for whoever is just forgetting it, and whoever forgets it then waits for what is written here. */
  async findAppliedAfterWriters(txid: string, topic: string): Promise<AppliedTransaction | undefined> {
    const sql = varying(`${APPLIED} ${this.#sql.phrases.afterWriters}`);
    return (await this.#read(sql, [id(txid), encodeName(topic)])).map(appliedOf)[0];
  }

  /** Those of `txids` that have changed the topic. */
  async appliedAmong(topic: string, txids: readonly string[]): Promise<Set<string>> {
    const found = new Set<string>();
    for (const chunk of chunks(txids)) {
      const places = chunk.map(() => '?').join(', ');
      const sql = varying(`SELECT txid FROM overlay_applied WHERE txid IN (${places}) AND topic = ?`);
      for (const row of await this.#read(sql, [...chunk.map(id), encodeName(topic)])) found.add(txidOf(row['txid']));
    }
    return found;
  }

  async deleteApplied(txid: string, topic: string): Promise<void> {
    await this.#write(DELETE_APPLIED, [id(txid), encodeName(topic)]);
  }

  /** @returns false when it is not there, or has a merkle path by now */
  async deleteUnproven(txid: string, topic: string): Promise<boolean> {
    return (await this.#write(DELETE_UNPROVEN, [id(txid), encodeName(topic)])).changes === 1;
  }

  /**
   * A merkle path has come for a transaction that was applied without one, to whatever topic.
   *
   * @param beef undefined: none is kept
   */
  async markProven(txid: string, beef: Uint8Array | undefined): Promise<void> {
    await this.#write(MARK_PROVEN, [id(txid)]);
    await this.#write(NOT_CHARGED, [id(txid)]);
    if (beef !== undefined) await this.#write(UPDATE_BEEF, [beef.length, Buffer.from(beef), id(txid)]);
  }

  /**
   * Transactions without a merkle path of their own that the chain is to be asked for by now: of each submitter in turn
   * the one that waits longest, so that who has submitted much keeps nobody from being asked for.
   */
  async toBeAsked(now: number, limit: number): Promise<{ txid: string; appliedAt: number }[]> {
    const due = (order: 'ASC' | 'DESC') =>
      this.#read(
        varying(
          `SELECT p.txid, p.ask_at, p.applied_at, t.submitter FROM overlay_applied p LEFT JOIN overlay_transactions t ON t.txid = p.txid
           WHERE p.proven = 0 AND p.ask_at <= ? ORDER BY p.ask_at ${order} LIMIT ${DUE_LOOKED_AT}`,
        ),
        [now],
      );
    const [oldest, newest] = [await due('ASC'), await due('DESC')];
    const rows = [...oldest, ...newest.reverse()];
    const appliedAt = new Map(rows.map((row) => [txidOf(row['txid']), Number(row['applied_at'])]));
    return inTurns(rows)
      .slice(0, Math.trunc(limit))
      .map((txid) => ({ txid, appliedAt: appliedAt.get(txid) as number }));
  }

  async askLater(txid: string, at: number): Promise<void> {
    await this.#write(ASK_LATER, [at, id(txid)]);
  }

  /** What was applied before a time and has no merkle path of its own, oldest first. */
  async unprovenSince(before: number, limit: number): Promise<{ txid: string; topic: string }[]> {
    const sql = varying(
      `SELECT txid, topic FROM overlay_applied WHERE proven = 0 AND applied_at < ?
       ORDER BY applied_at LIMIT ${Math.trunc(limit)}`,
    );
    return (await this.#read(sql, [before])).map(keyOfApplied);
  }

  /** Of that, what the chain has been asked for in its turn: few of many, so found by when it is to be asked again. */
  async askedInVain(before: number, now: number, limit: number): Promise<{ txid: string; topic: string }[]> {
    const sql = varying(
      `SELECT txid, topic FROM overlay_applied WHERE proven = 0 AND ask_at > ? AND applied_at < ?
       ORDER BY ask_at LIMIT ${Math.trunc(limit)}`,
    );
    return (await this.#read(sql, [now, before])).map(keyOfApplied);
  }

  /** Bytes of all BEEFs, and of what is written down of spending, which needs none. */
  async bytesKept(): Promise<number> {
    const [beefs] = await this.#read(SUM_BYTES, []);
    const [spends] = await this.#read(COUNT_SPENDS, []);
    return Number(beefs?.['bytes'] ?? 0) + Number(spends?.['n']) * BYTES_OF_SPEND;
  }

  /** How many transactions topics have applied, counted up to `most`. */
  async countApplied(proven: boolean, most: number): Promise<number> {
    const sql = varying(
      `SELECT COUNT(*) AS n FROM (SELECT 1 AS one FROM overlay_applied WHERE proven = ? LIMIT ${Math.trunc(most)}) t`,
    );
    const [row] = await this.#read(sql, [proven ? 1 : 0]);
    return Number(row?.['n']);
  }

  /** @throws the driver's error when one of them has been spent already */
  async insertSpends(
    topic: string,
    spentBy: string,
    outpoints: readonly (Outpoint & { admitted: boolean })[],
  ): Promise<void> {
    // In one order for everybody, so that two spenders of the same outputs don't deadlock.
    const sorted = [...outpoints].sort((a, b) => (outpointKey(a) < outpointKey(b) ? -1 : 1));
    for (const chunk of chunks(sorted)) {
      const rows = chunk.map(() => '(?, ?, ?, ?, ?)').join(', ');
      await this.#write(
        varying(`INSERT INTO overlay_spends (topic, txid, output_index, spending_txid, admitted) VALUES ${rows}`),
        chunk.flatMap(({ txid, outputIndex, admitted }) => [
          encodeName(topic),
          id(txid),
          outputIndex,
          id(spentBy),
          admitted ? 1 : 0,
        ]),
      );
    }
  }

  /** Who has spent which of `outpoints`, by {@link outpointKey}. */
  async findSpends(topic: string, outpoints: readonly Outpoint[]): Promise<Map<string, Spend>> {
    const columns = 'txid, output_index, spending_txid, admitted';
    const found = await this.#amongOutpoints(columns, 'overlay_spends', topic, outpoints);
    return new Map(found.map((row) => [outpointKey(outpointOf(row)), spendOf(row)]));
  }

  /**
   * To be asked after writing: of an output and its spender that come at the same time, neither sees the other before.
   * Each waits here for what the other has written.
   *
   * @param admitted outputs that were just inserted
   * @param spent outputs whose spending was just inserted, and which the topic did not hold
   * @throws {LostRaceError} when somebody has spent or inserted one of them
   */
  async assertNoRace(topic: string, admitted: readonly Outpoint[], spent: readonly Outpoint[]): Promise<void> {
    const { afterWriters } = this.#sql.phrases;
    const spends = await this.#amongOutpoints('1', 'overlay_spends', topic, admitted, afterWriters);
    const outputs = await this.#amongOutpoints('1', 'overlay_outputs', topic, spent, afterWriters);
    if (spends.length + outputs.length > 0) throw new LostRaceError();
  }

  /** What is known to be spent of a transaction's outputs, by their index. */
  async spentOutputsOf(txid: string, topic: string): Promise<Map<number, Spend>> {
    const rows = await this.#read(SPENT_OUTPUTS_OF, [id(txid), encodeName(topic)]);
    return new Map(rows.map((row) => [Number(row['output_index']), spendOf(row)]));
  }

  async spendsBy(txid: string, topic: string): Promise<(Outpoint & { admitted: boolean })[]> {
    const rows = await this.#read(SPENDS_BY, [id(txid), encodeName(topic)]);
    return rows.map((row) => ({ ...outpointOf(row), admitted: Number(row['admitted']) === 1 }));
  }

  async deleteSpendsBy(txid: string, topic: string): Promise<void> {
    await this.#write(DELETE_SPENDS_BY, [id(txid), encodeName(topic)]);
  }

  /** Up to when another host's outputs of a topic are known, in its time. */
  async updateLastInteraction(host: string, topic: string, since: number): Promise<void> {
    const values = [since, encodeName(host), encodeName(topic)];
    const isNew = await this.#insert(INSERT_SYNC_STATE, values);
    if (!isNew) await this.#write(UPDATE_SYNC_STATE, values);
  }

  async getLastInteraction(host: string, topic: string): Promise<number> {
    const [row] = await this.#read(FIND_SYNC_STATE, [encodeName(host), encodeName(topic)]);
    return row === undefined ? 0 : Number(row['since']);
  }

  async #amongOutpoints(
    columns: string,
    table: string,
    topic: string,
    outpoints: readonly Outpoint[],
    end = '',
  ): Promise<SqlRow[]> {
    const found: SqlRow[] = [];
    for (const chunk of chunks(outpoints)) {
      const where = chunk.map(() => '(txid = ? AND output_index = ?)').join(' OR ');
      const values = chunk.flatMap(({ txid, outputIndex }) => [id(txid), outputIndex]);
      const sql = varying(`SELECT ${columns} FROM ${table} WHERE (${where}) AND topic = ? ${end}`);
      found.push(...(await this.#read(sql, [...values, encodeName(topic)])));
    }
    return found;
  }

  async #amongTxids(columns: string, outpoints: readonly Outpoint[]): Promise<SqlRow[]> {
    const txids = [...new Set(outpoints.map(({ txid }) => txid))];
    if (txids.length === 0) return [];
    const places = txids.map(() => '?').join(', ');
    return await this.#read(
      varying(`SELECT ${columns} FROM overlay_transactions WHERE txid IN (${places})`),
      txids.map(id),
    );
  }

  #read(...call: Parameters<SqlRunner['read']>): Promise<SqlRow[]> {
    return this.#guard(() => this.#runner.read(...call));
  }

  #write(...call: Parameters<SqlRunner['write']>): ReturnType<SqlRunner['write']> {
    return this.#guard(() => this.#runner.write(...call));
  }

  /** @returns false when it was there */
  #insert(...call: Parameters<SqlRunner['write']>): Promise<boolean> {
    return this.#guard(async () => {
      try {
        await this.#runner.write(...call);
        return true;
      } catch (error) {
        if (sqlErrorKind(error) === 'duplicate') return false;
        throw error;
      }
    });
  }

  async #guard<T>(work: () => Promise<T>): Promise<T> {
    if (this.#runner !== this.#sql) return await work();
    try {
      return await retryContention(work);
    } catch (error) {
      throw translateError(error);
    }
  }
}

const MAX_RACES = 8;

/** What was not there when it was looked for, and is when it is written, or the other way round: the next look knows. */
async function retryRaces<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      const lost = error instanceof LostRaceError || sqlErrorKind(error) === 'duplicate';
      if (attempt >= MAX_RACES || !lost) throw error;
    }
  }
}

function id(txid: string): Buffer {
  return Buffer.from(txid, 'hex');
}

function txidOf(bytes: unknown): string {
  return (bytes as Buffer).toString('hex');
}

function appliedOf(row: SqlRow): AppliedTransaction {
  return { proven: Number(row['proven']) === 1, appliedAt: Number(row['applied_at']) };
}

/** Ids of each submitter in turn, each once. */
function inTurns(rows: readonly SqlRow[]): string[] {
  const lines = new Map<string, Set<string>>();
  for (const row of rows) {
    const submitter = row['submitter'] instanceof Uint8Array ? txidOf(row['submitter']) : '';
    const line = lines.get(submitter) ?? new Set();
    lines.set(submitter, line.add(txidOf(row['txid'])));
  }
  const found = new Set<string>();
  const iterators = new Set([...lines.values()].map((line) => line.values()));
  while (iterators.size > 0) {
    for (const iterator of iterators) {
      const next = iterator.next();
      if (next.done === true) iterators.delete(iterator);
      else found.add(next.value);
    }
  }
  return [...found];
}

function keyOfApplied(row: SqlRow): { txid: string; topic: string } {
  return { txid: txidOf(row['txid']), topic: (row['topic'] as Buffer).toString('utf8') };
}

function outpointOf(row: SqlRow): Outpoint {
  return { txid: txidOf(row['txid']), outputIndex: Number(row['output_index']) };
}

function spendOf(row: SqlRow): Spend {
  return { spentBy: txidOf(row['spending_txid']), admitted: Number(row['admitted']) === 1 };
}

function chunks<T>(items: readonly T[]): T[][] {
  const groups: T[][] = [];
  for (let start = 0; start < items.length; start += AT_ONCE) groups.push(items.slice(start, start + AT_ONCE));
  return groups;
}
