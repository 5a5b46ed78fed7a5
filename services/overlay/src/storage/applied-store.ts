import { dynamic, prepared, type SqlRow, toBinaryName } from '@messagebox/store';
import type { OverlaySql } from './overlay-sql.js';
import { bytesToTxid, splitIntoChunks, txidToBytes } from './rows.js';

/** A transaction that has changed a topic. */
export interface AppliedTransaction {
  /** Whether it is in a block: it came with a merkle path, or the chain has told one later. */
  readonly proven: boolean;
  /** Milliseconds since 1970. */
  readonly appliedAt: number;
}

/** A transaction that a topic has applied. */
export interface AppliedKey {
  readonly txid: string;
  readonly topic: string;
}

/** After this time most transactions are in a block: there is one about every ten minutes. */
const FIRST_PROOF_QUERY_AFTER_MS = 900_000;

const TABLE = 'overlay_applied';
const SELECT = `SELECT proven, applied_at FROM ${TABLE} WHERE txid = ? AND topic = ?`;
const FIND = prepared(SELECT);
const INSERT = prepared(`INSERT INTO ${TABLE} (txid, topic, proven, applied_at, ask_at) VALUES (?, ?, ?, ?, ?)`);
const DELETE = prepared(`DELETE FROM ${TABLE} WHERE txid = ? AND topic = ?`);
const DELETE_UNPROVEN = prepared(`DELETE FROM ${TABLE} WHERE txid = ? AND topic = ? AND proven = 0`);
const MARK_PROVEN = prepared(`UPDATE ${TABLE} SET proven = 1 WHERE txid = ?`);
const POSTPONE_PROOF_QUERY = prepared(`UPDATE ${TABLE} SET ask_at = ? WHERE txid = ?`);

/** The transactions that have changed a topic. */
export class AppliedStore {
  constructor(private readonly sql: OverlaySql) {}

  /** @throws the driver's duplicate error when another process has applied the transaction first */
  async claim(txid: string, topic: string, proven: boolean, now: number): Promise<void> {
    await this.sql.write(INSERT, [
      txidToBytes(txid),
      toBinaryName(topic),
      proven ? 1 : 0,
      now,
      now + FIRST_PROOF_QUERY_AFTER_MS,
    ]);
  }

  async find(txid: string, topic: string): Promise<AppliedTransaction | undefined> {
    return (await this.sql.read(FIND, [txidToBytes(txid), toBinaryName(topic)])).map(toApplied)[0];
  }

  /** Finds the row with a shared lock: a concurrent delete either ends first, or waits for this transaction. */
  async findForShare(txid: string, topic: string): Promise<AppliedTransaction | undefined> {
    const sql = dynamic(`${SELECT} ${this.sql.client.dialect.forShare}`);
    return (await this.sql.read(sql, [txidToBytes(txid), toBinaryName(topic)])).map(toApplied)[0];
  }

  /** @returns those of `txids` that have changed the topic */
  async filterApplied(topic: string, txids: readonly string[]): Promise<Set<string>> {
    const found = new Set<string>();
    for (const chunk of splitIntoChunks(txids)) {
      const places = chunk.map(() => '?').join(', ');
      const sql = dynamic(`SELECT txid FROM ${TABLE} WHERE txid IN (${places}) AND topic = ?`);
      for (const row of await this.sql.read(sql, [...chunk.map(txidToBytes), toBinaryName(topic)]))
        found.add(bytesToTxid(row['txid']));
    }
    return found;
  }

  async delete(txid: string, topic: string): Promise<void> {
    await this.sql.write(DELETE, [txidToBytes(txid), toBinaryName(topic)]);
  }

  /** @returns false when there is no such row, or when the transaction is proven */
  async deleteUnproven(txid: string, topic: string): Promise<boolean> {
    return (await this.sql.write(DELETE_UNPROVEN, [txidToBytes(txid), toBinaryName(topic)])).changes === 1;
  }

  /** Marks the transaction as proven in all topics. */
  async markProven(txid: string): Promise<void> {
    await this.sql.write(MARK_PROVEN, [txidToBytes(txid)]);
  }

  /** @param at the next time to ask the chain for a merkle path, in milliseconds since 1970 */
  async postponeProofQuery(txid: string, at: number): Promise<void> {
    await this.sql.write(POSTPONE_PROOF_QUERY, [at, txidToBytes(txid)]);
  }

  /** Lists unproven transactions that were applied before a time, oldest first. */
  async listUnprovenBefore(before: number, limit: number): Promise<AppliedKey[]> {
    const sql = dynamic(
      `SELECT txid, topic FROM ${TABLE} WHERE proven = 0 AND applied_at < ?
       ORDER BY applied_at LIMIT ${Math.trunc(limit)}`,
    );
    return (await this.sql.read(sql, [before])).map(toAppliedKey);
  }

  /**
   * The same, limited to transactions that the chain has been asked for. These are few among many, so they are found by
   * the time of the next query.
   */
  async listQueriedUnproven(before: number, now: number, limit: number): Promise<AppliedKey[]> {
    const sql = dynamic(
      `SELECT txid, topic FROM ${TABLE} WHERE proven = 0 AND ask_at > ? AND applied_at < ?
       ORDER BY ask_at LIMIT ${Math.trunc(limit)}`,
    );
    return (await this.sql.read(sql, [now, before])).map(toAppliedKey);
  }

  /** Counts the proven or unproven transactions, up to `max`. */
  async count(proven: boolean, max: number): Promise<number> {
    const sql = dynamic(
      `SELECT COUNT(*) AS n FROM (SELECT 1 AS one FROM ${TABLE} WHERE proven = ? LIMIT ${Math.trunc(max)}) t`,
    );
    const [row] = await this.sql.read(sql, [proven ? 1 : 0]);
    return Number(row?.['n']);
  }
}

export function toAppliedKey(row: SqlRow): AppliedKey {
  return { txid: bytesToTxid(row['txid']), topic: (row['topic'] as Buffer).toString('utf8') };
}

function toApplied(row: SqlRow): AppliedTransaction {
  return { proven: Number(row['proven']) === 1, appliedAt: Number(row['applied_at']) };
}
