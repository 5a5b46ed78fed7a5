import { dynamic, prepared, type SqlRow, toBinaryName } from '@messagebox/store';
import { type Outpoint, toOutpointKey } from '@messagebox/transactions';
import type { OverlaySql } from './overlay-sql.js';
import { bytesToTxid, splitIntoChunks, toOutpoint, txidToBytes } from './rows.js';

/** The spending of an output, as a topic has seen it. */
export interface Spend {
  readonly spentBy: string;
  /** Whether the topic held the output before. */
  readonly admitted: boolean;
}

/** An output that a transaction spends. */
export interface SpentOutput extends Outpoint {
  /** Whether the topic held it before. */
  readonly admitted: boolean;
}

const TABLE = 'overlay_spends';
const FIND_SPENT_OUTPUTS = prepared(
  `SELECT output_index, spending_txid, admitted FROM ${TABLE} WHERE txid = ? AND topic = ?`,
);
const LIST_BY = prepared(`SELECT txid, output_index, admitted FROM ${TABLE} WHERE spending_txid = ? AND topic = ?`);
const DELETE_BY = prepared(`DELETE FROM ${TABLE} WHERE spending_txid = ? AND topic = ?`);
const COUNT = prepared(`SELECT COUNT(*) AS n FROM ${TABLE}`);

/** The outputs that applied transactions spend, whether the topic held them or not. */
export class SpendStore {
  constructor(private readonly sql: OverlaySql) {}

  /** @throws the driver's duplicate error when one of the outputs has been spent already */
  async insert(topic: string, spentBy: string, outputs: readonly SpentOutput[]): Promise<void> {
    // All transactions insert in the same order, so that two spenders of the same outputs don't deadlock.
    const sorted = [...outputs].sort((a, b) => (toOutpointKey(a) < toOutpointKey(b) ? -1 : 1));
    for (const chunk of splitIntoChunks(sorted)) {
      const rows = chunk.map(() => '(?, ?, ?, ?, ?)').join(', ');
      await this.sql.write(
        dynamic(`INSERT INTO ${TABLE} (topic, txid, output_index, spending_txid, admitted) VALUES ${rows}`),
        chunk.flatMap(({ txid, outputIndex, admitted }) => [
          toBinaryName(topic),
          txidToBytes(txid),
          outputIndex,
          txidToBytes(spentBy),
          admitted ? 1 : 0,
        ]),
      );
    }
  }

  /** @returns the known spends of `outpoints`, by {@link toOutpointKey} */
  async find(topic: string, outpoints: readonly Outpoint[]): Promise<Map<string, Spend>> {
    const columns = 'txid, output_index, spending_txid, admitted';
    const found = await this.sql.selectByOutpoints(columns, TABLE, topic, outpoints);
    return new Map(found.map((row) => [toOutpointKey(toOutpoint(row)), toSpend(row)]));
  }

  /** @returns the known spends of a transaction's outputs, by output index */
  async findOfTransaction(txid: string, topic: string): Promise<Map<number, Spend>> {
    const rows = await this.sql.read(FIND_SPENT_OUTPUTS, [txidToBytes(txid), toBinaryName(topic)]);
    return new Map(rows.map((row) => [Number(row['output_index']), toSpend(row)]));
  }

  /** Whether any of the outputs is spent. Waits for transactions that are spending one. */
  async hasAnyForShare(topic: string, outpoints: readonly Outpoint[]): Promise<boolean> {
    const { forShare } = this.sql.client.dialect;
    return (await this.sql.selectByOutpoints('1', TABLE, topic, outpoints, forShare)).length > 0;
  }

  /** Lists the outputs that a transaction spends. */
  async listBy(txid: string, topic: string): Promise<SpentOutput[]> {
    const rows = await this.sql.read(LIST_BY, [txidToBytes(txid), toBinaryName(topic)]);
    return rows.map((row) => ({ ...toOutpoint(row), admitted: Number(row['admitted']) === 1 }));
  }

  async deleteBy(txid: string, topic: string): Promise<void> {
    await this.sql.write(DELETE_BY, [txidToBytes(txid), toBinaryName(topic)]);
  }

  async count(): Promise<number> {
    const [row] = await this.sql.read(COUNT, []);
    return Number(row?.['n']);
  }
}

function toSpend(row: SqlRow): Spend {
  return { spentBy: bytesToTxid(row['spending_txid']), admitted: Number(row['admitted']) === 1 };
}
