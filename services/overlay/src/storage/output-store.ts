import { dynamic, prepared, toBinaryName } from '@messagebox/store';
import { type Outpoint, toOutpointKey } from '@messagebox/transactions';
import { LostRaceError } from './lost-race-error.js';
import type { OverlaySql } from './overlay-sql.js';
import { toOutpoint, txidToBytes } from './rows.js';

/** An output of a topic as GASP lists it. */
export interface ListedOutput extends Outpoint {
  /** The time of its admission on this host, in milliseconds since 1970. */
  readonly score: number;
}

const TABLE = 'overlay_outputs';
const INSERT = prepared(`INSERT INTO ${TABLE} (topic, txid, output_index, score) VALUES (?, ?, ?, ?)`);
const LIST_INDEXES = prepared(`SELECT output_index FROM ${TABLE} WHERE txid = ? AND topic = ?`);
const DELETE = prepared(`DELETE FROM ${TABLE} WHERE topic = ? AND txid = ? AND output_index = ?`);

/** The unspent outputs that the topics hold. */
export class OutputStore {
  constructor(private readonly sql: OverlaySql) {}

  /** Does nothing when the topic holds the output already. */
  async insert(topic: string, { txid, outputIndex, score }: ListedOutput): Promise<void> {
    await this.sql.insert(INSERT, [toBinaryName(topic), txidToBytes(txid), outputIndex, score]);
  }

  /** @returns the keys ({@link toOutpointKey}) of those `outpoints` that the topic holds */
  async filterHeld(topic: string, outpoints: readonly Outpoint[]): Promise<Set<string>> {
    const found = await this.sql.selectByOutpoints('txid, output_index', TABLE, topic, outpoints);
    return new Set(found.map((row) => toOutpointKey(toOutpoint(row))));
  }

  /** Lists the indexes of a transaction's outputs that the topic holds. */
  async listIndexes(txid: string, topic: string): Promise<number[]> {
    return (await this.sql.read(LIST_INDEXES, [txidToBytes(txid), toBinaryName(topic)])).map((row) =>
      Number(row['output_index']),
    );
  }

  /** Lists the outputs of a topic by score, lowest first, from the score `since` on. */
  async list(topic: string, since: number, limit: number): Promise<ListedOutput[]> {
    const sql = dynamic(
      `SELECT txid, output_index, score FROM ${TABLE}
       WHERE topic = ? AND score >= ? ORDER BY score, id LIMIT ${Math.trunc(limit)}`,
    );
    const rows = await this.sql.read(sql, [toBinaryName(topic), since]);
    return rows.map((row) => ({ ...toOutpoint(row), score: Number(row['score']) }));
  }

  /** @throws {LostRaceError} when the topic does not hold the output */
  async delete(topic: string, { txid, outputIndex }: Outpoint): Promise<void> {
    const { changes } = await this.sql.write(DELETE, [toBinaryName(topic), txidToBytes(txid), outputIndex]);
    if (changes === 0) throw new LostRaceError();
  }

  /** Whether the topic holds any of the outputs. Waits for transactions that are inserting one. */
  async hasAnyForShare(topic: string, outpoints: readonly Outpoint[]): Promise<boolean> {
    const { forShare } = this.sql.client.dialect;
    return (await this.sql.selectByOutpoints('1', TABLE, topic, outpoints, forShare)).length > 0;
  }
}
