import { RuleError } from '@messagebox/messages';
import {
  classifySqlError,
  dynamic,
  prepared,
  retryContention,
  type SqlClient,
  type SqlRunner,
  translateError,
} from '@messagebox/store';
import type { Outpoint } from '@messagebox/transactions';
import { type AppliedKey, AppliedStore, toAppliedKey } from './applied-store.js';
import { BeefStore } from './beef-store.js';
import { type DueProofQuery, listDueProofQueries } from './due-proof-queries.js';
import { LostRaceError } from './lost-race-error.js';
import { OutputStore } from './output-store.js';
import { OverlaySql } from './overlay-sql.js';
import { txidToBytes } from './rows.js';
import { SpendStore } from './spend-store.js';
import { SyncStateStore } from './sync-state-store.js';

const MAX_ATTEMPTS = 8;
/** About the size of a row of `overlay_spends` in the database, with its indexes. */
const BYTES_PER_SPEND = 256;
const FIND_BEEF_OF_OUTPUT = prepared(
  `SELECT t.beef FROM overlay_outputs o JOIN overlay_transactions t ON t.txid = o.txid
   WHERE o.txid = ? AND o.output_index = ? LIMIT 1`,
);

/**
 * The tables of the overlay's engine, one store for each, and the operations that concern several of them. Deletes of
 * missing rows do nothing unless documented otherwise, so that two processes can do the same work.
 *
 * Errors are those of {@link OverlaySql}.
 */
export class OverlayStorage {
  readonly outputs: OutputStore;
  readonly beefs: BeefStore;
  readonly applied: AppliedStore;
  readonly spends: SpendStore;
  readonly syncState: SyncStateStore;
  readonly #client: SqlClient;
  readonly #sql: OverlaySql;

  /** @param runner the transaction to take part in; default: none */
  constructor(client: SqlClient, runner?: SqlRunner) {
    const sql = new OverlaySql(client, runner);
    this.#client = client;
    this.#sql = sql;
    this.outputs = new OutputStore(sql);
    this.beefs = new BeefStore(sql);
    this.applied = new AppliedStore(sql);
    this.spends = new SpendStore(sql);
    this.syncState = new SyncStateStore(sql);
  }

  /**
   * Runs `work` in a database transaction. `work` is repeated after a deadlock or a {@link LostRaceError}, so it must be
   * repeatable from its beginning, and must use nothing of the database but its arguments.
   *
   * @throws {RuleError} that `work` threw, and {@link StoreUnavailableError} for everything else
   */
  async transaction<T>(work: (storage: OverlayStorage, runner: SqlRunner) => Promise<T>): Promise<T> {
    const once = () => this.#client.transaction((runner) => work(new OverlayStorage(this.#client, runner), runner));
    try {
      return await retryRaces(() => retryContention(once));
    } catch (error) {
      throw error instanceof RuleError ? error : translateError(error);
    }
  }

  /**
   * Deletes an output of a topic. Also deletes the BEEF when no output needs it any more.
   *
   * @throws {LostRaceError} when the topic does not hold the output
   */
  async deleteOutput(topic: string, output: Outpoint): Promise<void> {
    await this.outputs.delete(topic, output);
    await this.beefs.deleteUnused(output.txid);
  }

  /** Finds the BEEF of an output that any topic holds. */
  async findBeefOfOutput({ txid, outputIndex }: Outpoint): Promise<Buffer | undefined> {
    const [row] = await this.#sql.read(FIND_BEEF_OF_OUTPUT, [txidToBytes(txid), outputIndex]);
    return row && (row['beef'] as Buffer);
  }

  /**
   * Records the merkle path of a transaction that was applied without one, in all topics.
   *
   * @param beef the BEEF with the merkle path; undefined when none is stored
   */
  async markProven(txid: string, beef: Uint8Array | undefined): Promise<void> {
    await this.applied.markProven(txid);
    await this.beefs.markProven(txid, beef);
  }

  /**
   * Checks, after writing, that no other transaction has written the opposite: an output and its spender that arrive at
   * the same time don't see each other before. Each waits here for the other's writes.
   *
   * @param admitted outputs that were just inserted
   * @param spent outputs whose spends were just inserted, and which the topic did not hold
   * @throws {LostRaceError} when another process has spent or inserted one of them
   */
  async assertNoRace(topic: string, admitted: readonly Outpoint[], spent: readonly Outpoint[]): Promise<void> {
    const isSpent = await this.spends.hasAnyForShare(topic, admitted);
    const isHeld = await this.outputs.hasAnyForShare(topic, spent);
    if (isSpent || isHeld) throw new LostRaceError();
  }

  /** See {@link listDueProofQueries}. */
  async listDueProofQueries(now: number, limit: number): Promise<DueProofQuery[]> {
    return await listDueProofQueries(this.#sql, now, limit);
  }

  /** Lists unproven transactions of the submitter that is charged for most bytes, oldest first. */
  async listOldestOfLargestSubmitter(limit: number): Promise<AppliedKey[]> {
    const largest = await this.beefs.findLargestSubmitter();
    if (largest === undefined) return [];
    const sql = dynamic(
      `SELECT p.txid, p.topic FROM overlay_transactions t JOIN overlay_applied p ON p.txid = t.txid
       WHERE t.submitter = ? AND p.proven = 0 ORDER BY p.applied_at LIMIT ${Math.trunc(limit)}`,
    );
    return (await this.#sql.read(sql, [largest])).map(toAppliedKey);
  }

  /** Sums the bytes of all BEEFs and, estimated, of all spends. */
  async sumStoredBytes(): Promise<number> {
    return (await this.beefs.sumBytes()) + (await this.spends.count()) * BYTES_PER_SPEND;
  }
}

/** Repeats work that lost a race: a row appeared or disappeared between reading and writing. The next attempt sees it. */
async function retryRaces<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      const lost = error instanceof LostRaceError || classifySqlError(error) === 'duplicate';
      if (attempt >= MAX_ATTEMPTS || !lost) throw error;
    }
  }
}
