import { dynamic, prepared } from '@messagebox/store';
import type { OverlaySql } from './overlay-sql.js';
import { bytesToTxid, txidToBytes } from './rows.js';

const TABLE = 'overlay_transactions';
const INSERT = prepared(`INSERT INTO ${TABLE} (txid, bytes, beef, submitter) VALUES (?, ?, ?, ?)`);
const FIND = prepared(`SELECT beef FROM ${TABLE} WHERE txid = ?`);
const UPDATE = prepared(`UPDATE ${TABLE} SET bytes = ?, beef = ? WHERE txid = ?`);
const CLEAR_SUBMITTER = prepared(`UPDATE ${TABLE} SET submitter = NULL WHERE txid = ? AND submitter IS NOT NULL`);
const SUM_OF_SUBMITTER = prepared(`SELECT SUM(bytes) AS bytes FROM ${TABLE} WHERE submitter = ?`);
const FIND_LARGEST_SUBMITTER = prepared(
  `SELECT submitter FROM ${TABLE} WHERE submitter IS NOT NULL
   GROUP BY submitter ORDER BY SUM(bytes) DESC LIMIT 1`,
);
const SUM = prepared(`SELECT SUM(bytes) AS bytes FROM ${TABLE}`);
/** Waits for a transaction that is inserting an output of this one, so that the BEEF it needs is not deleted. */
const LOCK = prepared(`UPDATE ${TABLE} SET txid = txid WHERE txid = ?`);
const DELETE_UNUSED = prepared(
  `DELETE FROM ${TABLE} WHERE txid = ? AND NOT EXISTS (SELECT 1 FROM overlay_outputs o WHERE o.txid = ?)`,
);

/** The transactions of the outputs that topics hold, each as a BEEF that verifies it. */
export class BeefStore {
  constructor(private readonly sql: OverlaySql) {}

  /**
   * Does nothing when the transaction is stored already.
   *
   * @param submitter the digest that is charged for the bytes; undefined: none
   */
  async insert(txid: string, beef: Uint8Array, submitter?: Buffer): Promise<void> {
    await this.sql.insert(INSERT, [txidToBytes(txid), beef.length, Buffer.from(beef), submitter ?? null]);
  }

  async find(txid: string): Promise<Buffer | undefined> {
    const [row] = await this.sql.read(FIND, [txidToBytes(txid)]);
    return row && (row['beef'] as Buffer);
  }

  /** @returns the BEEFs that are stored, by txid */
  async findAll(txids: readonly string[]): Promise<Map<string, Buffer>> {
    const rows = await this.#select('txid, beef', txids);
    return new Map(rows.map((row) => [bytesToTxid(row['txid']), row['beef'] as Buffer]));
  }

  /** @returns the sizes in bytes of the BEEFs that are stored, by txid */
  async findSizes(txids: readonly string[]): Promise<Map<string, number>> {
    const rows = await this.#select('txid, bytes', txids);
    return new Map(rows.map((row) => [bytesToTxid(row['txid']), Number(row['bytes'])]));
  }

  /** @returns the digest that is charged for most bytes; undefined when none is charged */
  async findLargestSubmitter(): Promise<Buffer | undefined> {
    const [row] = await this.sql.read(FIND_LARGEST_SUBMITTER, []);
    return row && (row['submitter'] as Buffer);
  }

  /** Sums the bytes of the transactions in no block that a submitter is charged for. */
  async sumSubmitterBytes(submitter: Buffer): Promise<number> {
    const [row] = await this.sql.read(SUM_OF_SUBMITTER, [submitter]);
    return Number(row?.['bytes'] ?? 0);
  }

  async sumBytes(): Promise<number> {
    const [row] = await this.sql.read(SUM, []);
    return Number(row?.['bytes'] ?? 0);
  }

  /**
   * Replaces the BEEF by one with a merkle path, and charges nobody for it any more.
   *
   * @param beef undefined when none is stored
   */
  async markProven(txid: string, beef: Uint8Array | undefined): Promise<void> {
    await this.sql.write(CLEAR_SUBMITTER, [txidToBytes(txid)]);
    if (beef !== undefined) await this.sql.write(UPDATE, [beef.length, Buffer.from(beef), txidToBytes(txid)]);
  }

  /** Deletes the BEEF when no topic holds an output of the transaction any more. */
  async deleteUnused(txid: string): Promise<void> {
    await this.sql.write(LOCK, [txidToBytes(txid)]);
    await this.sql.write(DELETE_UNUSED, [txidToBytes(txid), txidToBytes(txid)]);
  }

  async #select(columns: string, txids: readonly string[]): ReturnType<OverlaySql['read']> {
    if (txids.length === 0) return [];
    const places = txids.map(() => '?').join(', ');
    return await this.sql.read(
      dynamic(`SELECT ${columns} FROM ${TABLE} WHERE txid IN (${places})`),
      txids.map(txidToBytes),
    );
  }
}
