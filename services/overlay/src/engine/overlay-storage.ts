import type { Output, Storage } from '@bsv/overlay';
import {
  decodeName,
  encodeName,
  fixed,
  RuleError,
  retryContention,
  type SqlClient,
  type SqlRow,
  type SqlRunner,
  type SqlValue,
  sqlErrorKind,
  translateError,
  varying,
} from '@messagebox/shared';
import { type Outpoint, outpointKey } from '@messagebox/wallet';

/** What the database says of a transaction that has changed a topic. */
export interface AppliedTransaction {
  /** Whether it came with a merkle path, at first or later. */
  readonly proven: boolean;
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

const COLUMNS =
  'o.topic, o.txid, o.output_index, o.script, o.satoshis, o.consumes, o.consumed_by, o.spent, o.score, o.block_height';
const OUTPOINTS_AT_ONCE = 100;

const INSERT_OUTPUT = fixed(
  `INSERT INTO overlay_outputs
   (topic, txid, output_index, script, satoshis, consumes, consumed_by, spent, score, block_height)
   VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
);
const INSERT_BEEF = fixed('INSERT INTO overlay_transactions (txid, beef) VALUES (?, ?)');
const UPDATE_BEEF = fixed('UPDATE overlay_transactions SET beef = ? WHERE txid = ?');
/** Waits for whoever is just inserting an output of the transaction, so that its BEEF is not deleted from under it. */
const LOCK_BEEF = fixed('UPDATE overlay_transactions SET txid = txid WHERE txid = ?');
const DELETE_UNUSED_BEEF = fixed(
  'DELETE FROM overlay_transactions WHERE txid = ? AND NOT EXISTS (SELECT 1 FROM overlay_outputs o WHERE o.txid = ?)',
);
const DELETE_OUTPUT = fixed('DELETE FROM overlay_outputs WHERE topic = ? AND txid = ? AND output_index = ?');
const MARK_SPENT = fixed('UPDATE overlay_outputs SET spent = 1 WHERE topic = ? AND txid = ? AND output_index = ?');
const UPDATE_CONSUMED_BY = fixed(
  'UPDATE overlay_outputs SET consumed_by = ? WHERE topic = ? AND txid = ? AND output_index = ?',
);
const UPDATE_HEIGHT = fixed(
  'UPDATE overlay_outputs SET block_height = ? WHERE topic = ? AND txid = ? AND output_index = ?',
);
const FIND_APPLIED = fixed('SELECT proven FROM overlay_applied WHERE txid = ? AND topic = ?');
const INSERT_APPLIED = fixed('INSERT INTO overlay_applied (txid, topic, proven, applied_at) VALUES (?, ?, ?, ?)');
const DELETE_APPLIED = fixed('DELETE FROM overlay_applied WHERE txid = ? AND topic = ?');
const MARK_PROVEN = fixed('UPDATE overlay_applied SET proven = 1 WHERE txid = ?');
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
 * What an overlay engine keeps, in our own database: the engine's `Storage`, and what our engine asks besides. Inserting
 * what is there and deleting what isn't do no harm, so that two processes may do the same at once.
 *
 * Outside of a transaction its methods throw {@link StoreUnavailableError}; inside, what the driver said.
 */
export class OverlayStorage implements Storage {
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

  async insertOutput(output: Output): Promise<void> {
    const { txid, beef } = output;
    await this.#insert(INSERT_OUTPUT, [
      encodeName(output.topic),
      id(txid),
      output.outputIndex,
      Buffer.from(output.outputScript),
      output.satoshis,
      JSON.stringify(output.outputsConsumed),
      JSON.stringify(output.consumedBy),
      output.spent ? 1 : 0,
      output.score ?? Date.now(),
      output.blockHeight ?? null,
    ]);
    if (beef !== undefined) await this.insertBeef(txid, Uint8Array.from(beef));
  }

  /** Does nothing when the transaction is there. */
  async insertBeef(txid: string, beef: Uint8Array): Promise<void> {
    await this.#insert(INSERT_BEEF, [id(txid), Buffer.from(beef)]);
  }

  async findOutput(
    txid: string,
    outputIndex: number,
    topic?: string,
    spent?: boolean,
    includeBEEF = false,
  ): Promise<Output | null> {
    const conditions = ['o.txid = ?', 'o.output_index = ?'];
    const values: SqlValue[] = [id(txid), outputIndex];
    if (topic !== undefined) {
      conditions.push('o.topic = ?');
      values.push(encodeName(topic));
    }
    if (spent !== undefined) {
      conditions.push('o.spent = ?');
      values.push(spent ? 1 : 0);
    }
    const [found] = await this.#outputs(`${conditions.join(' AND ')} ORDER BY o.id LIMIT 1`, values, includeBEEF);
    return found ?? null;
  }

  /** Those of `outpoints` that the topic holds, spent ones that are kept as history included, by {@link outpointKey}. */
  async findOutputs(topic: string, outpoints: readonly Outpoint[]): Promise<Map<string, Output>> {
    const found = new Map<string, Output>();
    for (const chunk of chunks(outpoints)) {
      const where = chunk.map(() => '(o.txid = ? AND o.output_index = ?)').join(' OR ');
      const values = chunk.flatMap(({ txid, outputIndex }) => [id(txid), outputIndex]);
      const outputs = await this.#outputs(`o.topic = ? AND (${where})`, [encodeName(topic), ...values], false);
      for (const output of outputs) found.set(outpointKey(output), output);
    }
    return found;
  }

  async findOutputsForTransaction(txid: string, includeBEEF = false): Promise<Output[]> {
    return await this.#outputs('o.txid = ? ORDER BY o.id', [id(txid)], includeBEEF);
  }

  /** Lowest score first. */
  async findUTXOsForTopic(topic: string, since = 0, limit = MOST_LISTED, includeBEEF = false): Promise<Output[]> {
    return await this.#outputs(
      `o.topic = ? AND o.spent = 0 AND o.score >= ? ORDER BY o.score, o.id LIMIT ${Math.trunc(limit)}`,
      [encodeName(topic), since],
      includeBEEF,
    );
  }

  /** The unspent outputs of a topic, without what they hold; lowest score first. */
  async listOutputs(topic: string, since: number, limit: number): Promise<ListedOutput[]> {
    const sql = varying(
      `SELECT txid, output_index, score FROM overlay_outputs
       WHERE topic = ? AND spent = 0 AND score >= ? ORDER BY score, id LIMIT ${Math.trunc(limit)}`,
    );
    const rows = await this.#read(sql, [encodeName(topic), since]);
    return rows.map((row) => ({ ...outpointOf(row), score: Number(row['score']) }));
  }

  /** And the BEEF, when this was the last output that needed it. */
  async deleteOutput(txid: string, outputIndex: number, topic: string): Promise<void> {
    await this.#write(DELETE_OUTPUT, [encodeName(topic), id(txid), outputIndex]);
    await this.#write(LOCK_BEEF, [id(txid)]);
    await this.#write(DELETE_UNUSED_BEEF, [id(txid), id(txid)]);
  }

  async markUTXOAsSpent(txid: string, outputIndex: number, topic: string): Promise<void> {
    await this.#write(MARK_SPENT, [encodeName(topic), id(txid), outputIndex]);
  }

  async updateConsumedBy(
    txid: string,
    outputIndex: number,
    topic: string,
    consumedBy: Array<{ txid: string; outputIndex: number }>,
  ): Promise<void> {
    await this.#write(UPDATE_CONSUMED_BY, [JSON.stringify(consumedBy), encodeName(topic), id(txid), outputIndex]);
  }

  async updateTransactionBEEF(txid: string, beef: readonly number[] | Uint8Array): Promise<void> {
    await this.#write(UPDATE_BEEF, [Buffer.from(beef), id(txid)]);
  }

  async updateOutputBlockHeight(txid: string, outputIndex: number, topic: string, blockHeight: number): Promise<void> {
    await this.#write(UPDATE_HEIGHT, [blockHeight, encodeName(topic), id(txid), outputIndex]);
  }

  async insertAppliedTransaction(tx: { txid: string; topic: string; proven?: boolean }): Promise<void> {
    await this.#insert(INSERT_APPLIED, appliedValues(tx.txid, tx.topic, tx.proven ?? false));
  }

  /** @throws the driver's error when it is there already: somebody else was faster */
  async claimApplied(txid: string, topic: string, proven: boolean): Promise<void> {
    await this.#write(INSERT_APPLIED, appliedValues(txid, topic, proven));
  }

  async doesAppliedTransactionExist(tx: { txid: string; topic: string }): Promise<boolean> {
    return (await this.findApplied(tx.txid, tx.topic)) !== undefined;
  }

  async findApplied(txid: string, topic: string): Promise<AppliedTransaction | undefined> {
    const [row] = await this.#read(FIND_APPLIED, [id(txid), encodeName(topic)]);
    return row && { proven: Number(row['proven']) === 1 };
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

  /** A merkle path has come for a transaction that was applied without one, to whatever topic. */
  async markProven(txid: string, beef: Uint8Array): Promise<void> {
    await this.#write(MARK_PROVEN, [id(txid)]);
    await this.#write(UPDATE_BEEF, [Buffer.from(beef), id(txid)]);
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
    const found = new Map<string, Spend>();
    for (const chunk of chunks(outpoints)) {
      const where = chunk.map(() => '(txid = ? AND output_index = ?)').join(' OR ');
      const rows = await this.#read(
        varying(
          `SELECT txid, output_index, spending_txid, admitted FROM overlay_spends WHERE (${where}) AND topic = ?`,
        ),
        [...chunk.flatMap(({ txid, outputIndex }) => [id(txid), outputIndex]), encodeName(topic)],
      );
      for (const row of rows) found.set(outpointKey(outpointOf(row)), spendOf(row));
    }
    return found;
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

  async updateLastInteraction(host: string, topic: string, since: number): Promise<void> {
    const values = [since, encodeName(host), encodeName(topic)];
    const isNew = await this.#insert(INSERT_SYNC_STATE, values);
    if (!isNew) await this.#write(UPDATE_SYNC_STATE, values);
  }

  async getLastInteraction(host: string, topic: string): Promise<number> {
    const [row] = await this.#read(FIND_SYNC_STATE, [encodeName(host), encodeName(topic)]);
    return row === undefined ? 0 : Number(row['since']);
  }

  async #outputs(where: string, values: readonly SqlValue[], withBeef: boolean): Promise<Output[]> {
    const beef = withBeef ? ', t.beef' : '';
    const join = withBeef ? 'LEFT JOIN overlay_transactions t ON t.txid = o.txid' : '';
    const sql = varying(`SELECT ${COLUMNS}${beef} FROM overlay_outputs o ${join} WHERE ${where}`);
    return (await this.#read(sql, values)).map(toOutput);
  }

  #read(...call: Parameters<SqlRunner['read']>): Promise<SqlRow[]> {
    return this.#guard(() => this.#runner.read(...call));
  }

  async #write(...call: Parameters<SqlRunner['write']>): Promise<void> {
    await this.#guard(() => this.#runner.write(...call));
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

/** When nobody says how many. */
const MOST_LISTED = 10_000;
const MAX_RACES = 8;

/** A row that was not there when it was looked for, and is when it is inserted: the next look finds it. */
async function retryRaces<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (attempt >= MAX_RACES || sqlErrorKind(error) !== 'duplicate') throw error;
    }
  }
}

function id(txid: string): Buffer {
  return Buffer.from(txid, 'hex');
}

function txidOf(bytes: unknown): string {
  return (bytes as Buffer).toString('hex');
}

function outpointOf(row: SqlRow): Outpoint {
  return { txid: txidOf(row['txid']), outputIndex: Number(row['output_index']) };
}

function spendOf(row: SqlRow): Spend {
  return { spentBy: txidOf(row['spending_txid']), admitted: Number(row['admitted']) === 1 };
}

function appliedValues(txid: string, topic: string, proven: boolean): SqlValue[] {
  return [id(txid), encodeName(topic), proven ? 1 : 0, Date.now()];
}

function toOutput(row: SqlRow): Output {
  const beef = row['beef'];
  const height = row['block_height'];
  return {
    ...outpointOf(row),
    topic: decodeName(row['topic']),
    outputScript: [...(row['script'] as Buffer)],
    satoshis: Number(row['satoshis']),
    outputsConsumed: JSON.parse(String(row['consumes'])),
    consumedBy: JSON.parse(String(row['consumed_by'])),
    spent: Number(row['spent']) === 1,
    score: Number(row['score']),
    ...(height === null || height === undefined ? {} : { blockHeight: Number(height) }),
    ...(beef === null || beef === undefined ? {} : { beef: [...(beef as Buffer)] }),
  };
}

function chunks<T>(items: readonly T[]): T[][] {
  const groups: T[][] = [];
  for (let start = 0; start < items.length; start += OUTPOINTS_AT_ONCE) {
    groups.push(items.slice(start, start + OUTPOINTS_AT_ONCE));
  }
  return groups;
}
