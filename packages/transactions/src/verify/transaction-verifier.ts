import type { ChainTracker } from '@bsv/sdk';
import { InvalidTransactionError } from '../beef/invalid-transaction-error.js';
import { type ParsedBeef, parseBeef } from '../beef/parse-beef.js';
import type { TransactionOutput } from '../beef/transaction.js';
import { askChain } from './ask-chain.js';
import { CostAccounts, CostMeter } from './cost-accounts.js';
import { QueueFullError } from './fair-queue.js';
import { type InspectedBeef, inspectBeef, tooLargeError } from './inspect-beef.js';
import { assertLockTimePassed } from './lock-times.js';
import { ScriptTimeoutError, ScriptWorker } from './script-worker.js';
import { VerifierBusyError } from './verify-errors.js';

/** Limits of one verification, and of the queues. */
export interface VerifierLimits {
  /** Bytes of a BEEF. Default 1,000,000. */
  readonly bytes: number;
  /** Transactions in a BEEF. Default 200. */
  readonly transactions: number;
  /** Inputs, outputs and hashes of merkle paths in a BEEF, needed or not: each becomes an object. Default 100,000. */
  readonly parts: number;
  /** Inputs whose scripts are run. Default 500. */
  readonly inputs: number;
  /** Hashes of the merkle paths that are needed. Default 2,000. */
  readonly hashes: number;
  /** Signatures that scripts may check. Default 1,000. */
  readonly signatureChecks: number;
  /** Bytes that the stacks of a script may hold. Default 2,000,000. */
  readonly scriptMemory: number;
  /** Milliseconds of CPU that running all scripts may take. Default 5,000. */
  readonly scriptMs: number;
  /** Milliseconds of CPU that a verification gets before it goes behind those that had less. Default 400. */
  readonly sliceMs: number;
  /** Milliseconds that asking the chain may take. Default 10,000. */
  readonly chainMs: number;
  /** Verifications with cheap scripts that wait or run; one runs at a time. Default 64. */
  readonly waiting: number;
  /** The same for one source. Default 16. */
  readonly waitingPerSource: number;
  /** The two limits above for other scripts. Defaults 32 and 4. */
  readonly slowWaiting: number;
  readonly slowWaitingPerSource: number;
  /** Milliseconds after which a verification that still waits is refused. Default 10,000. */
  readonly waitMs: number;
  /** Verifications, and signature checks, after which the process is replaced. Defaults 500 and 20,000. */
  readonly processVerifications: number;
  readonly processSignatureChecks: number;
}

const DEFAULT_LIMITS: VerifierLimits = {
  bytes: 1_000_000,
  transactions: 200,
  parts: 100_000,
  inputs: 500,
  hashes: 2_000,
  signatureChecks: 1_000,
  scriptMemory: 2_000_000,
  scriptMs: 5_000,
  sliceMs: 400,
  chainMs: 10_000,
  waiting: 64,
  waitingPerSource: 16,
  slowWaiting: 32,
  slowWaitingPerSource: 4,
  waitMs: 10_000,
  processVerifications: 500,
  processSignatureChecks: 20_000,
};

export interface VerifiedTransaction {
  /** Hex. */
  readonly txid: string;
  /** Whether it is in a block. If not, it may still be a double spend, which no BEEF can rule out. */
  readonly proven: boolean;
  readonly outputs: readonly TransactionOutput[];
  /** A plain BEEF V2 with only what the transaction needs, ancestors first and the transaction last. */
  readonly beef: Uint8Array;
  /** Milliseconds of CPU that the verification took. */
  readonly cost: number;
}

/** Scripts whose cost cannot be predicted run when the processor has nothing else to do. */
const SLOW_NICENESS = 10;

/**
 * Verifies transactions of strangers by SPV (BRC-67: scripts, amounts, lock times, and merkle paths against the chain), with
 * limited work. Cheap checks come first, and merkle paths before scripts: inventing a script costs nothing, and a block
 * does. Scripts run in separate processes, which are killed when they take too long.
 *
 * Sources are ordered by their recent cost, which is measured in those processes (see {@link CostAccounts}). There are two
 * lanes, each with a process. Payments to keys and tokens, whose cost can be predicted, wait for nothing else. Other
 * scripts, and those that exceed the prediction, use the slow lane, where each source gets a slice of time before one gets
 * more.
 */
export class TransactionVerifier {
  readonly #limits: VerifierLimits;
  readonly #accounts = new CostAccounts();
  readonly #cheap: ScriptWorker;
  readonly #slow: ScriptWorker;

  /** @param tracker opens the chain tracker; called for each verification, so it should cache its result */
  constructor(
    private readonly tracker: () => Promise<ChainTracker>,
    limits: Partial<VerifierLimits> = {},
  ) {
    this.#limits = { ...DEFAULT_LIMITS, ...limits };
    const { slowWaiting: waiting, slowWaitingPerSource: waitingPerSource } = this.#limits;
    this.#cheap = new ScriptWorker({ ...this.#limits, niceness: 0 }, this.#accounts);
    this.#slow = new ScriptWorker(
      { ...this.#limits, waiting, waitingPerSource, niceness: SLOW_NICENESS },
      this.#accounts,
    );
  }

  /**
   * Parses a BEEF within the verifier's limits. Nothing is verified.
   *
   * @param bytes BEEF V1 (BRC-62), V2 (BRC-96) or AtomicBEEF (BRC-95)
   * @param maxBytes another limit than the verifier's, for bytes whose cost the caller bounds in another way
   * @throws {InvalidTransactionError} `limit`, and as {@link parseBeef}
   */
  parse(bytes: Uint8Array | readonly number[], maxBytes = this.#limits.bytes): ParsedBeef {
    if (bytes.length > maxBytes) throw tooLargeError(maxBytes);
    const { transactions, parts } = this.#limits;
    return parseBeef(bytes instanceof Uint8Array ? bytes : Uint8Array.from(bytes), transactions, parts);
  }

  /**
   * Verifies the subject of a BEEF.
   *
   * @param beef a parsed BEEF, or the result of `pruneBeef()`, which is not pruned again
   * @param askedBy the source of the request, such as an identity or an address; sources with a lower recent cost go first
   * @param maxBytes as for {@link TransactionVerifier.parse}
   * @throws {InvalidTransactionError} with the reason
   * @throws {ChainUnavailableError} when the chain could not be asked; worth a retry
   * @throws {VerifierBusyError} when too many are waiting; worth a retry
   */
  async verify(beef: ParsedBeef, askedBy = '', maxBytes = this.#limits.bytes): Promise<VerifiedTransaction> {
    const meter = new CostMeter(this.#accounts, askedBy);
    try {
      const inspected = meter.measure(() => this.#inspect(beef, maxBytes));
      await this.#verifyScripts(inspected, meter);
      const { txid, proof, outputs } = beef.subject;
      return { txid, proven: proof !== undefined, outputs, beef: inspected.beef, cost: meter.milliseconds };
    } catch (error) {
      if (error instanceof InvalidTransactionError) this.#accounts.chargeWasted(askedBy, meter.milliseconds);
      throw error instanceof QueueFullError ? new VerifierBusyError() : error;
    }
  }

  /**
   * Reports the outcome of a verified transaction. Sources of useful transactions go before others.
   *
   * @param outcome `useful`, such as a payment that was received, or `useless`: valid, but verified in vain
   * @param cost milliseconds, see {@link VerifiedTransaction.cost}
   */
  report(askedBy: string, outcome: 'useful' | 'useless', cost: number): void {
    if (outcome === 'useful') this.#accounts.recordUseful(askedBy);
    else this.#accounts.chargeWasted(askedBy, cost);
  }

  /** Ends the processes. Verifications that still wait are refused. */
  async close(): Promise<void> {
    await Promise.all([this.#cheap.close(), this.#slow.close()]);
  }

  #inspect(beef: ParsedBeef, maxBytes: number): InspectedBeef {
    const inspected = inspectBeef(beef, { ...this.#limits, bytes: maxBytes });
    assertLockTimePassed(inspected.lockTimes, Date.now());
    return inspected;
  }

  async #verifyScripts(inspected: InspectedBeef, meter: CostMeter): Promise<void> {
    const { scriptMs } = this.#limits;
    const sliceMs = Math.min(this.#limits.sliceMs, scriptMs);
    const { milliseconds, isPredictable } = inspected.estimate;
    const isCheap = isPredictable && milliseconds <= sliceMs / 2;
    if (isCheap && (await this.#tryVerify(this.#cheap, inspected, meter, milliseconds, [sliceMs]))) return;
    if (await this.#tryVerify(this.#slow, inspected, meter, sliceMs, [sliceMs, scriptMs])) return;
    throw new InvalidTransactionError('limit', `Verifying the transaction takes more than ${scriptMs} ms.`);
  }

  /**
   * @param attempts milliseconds that the scripts may take; each attempt runs in its own turn
   * @returns false when that was not enough
   * @throws {InvalidTransactionError}, {@link ChainUnavailableError}, {@link VerifierBusyError}, {@link QueueFullError}
   */
  #tryVerify(
    worker: ScriptWorker,
    { beef, spentCoinbases, lockTimes }: InspectedBeef,
    meter: CostMeter,
    expected: number,
    attempts: readonly number[],
  ): Promise<boolean> {
    const { scriptMs, chainMs } = this.#limits;
    return worker.enter(meter.source, expected, async ({ runInTurn }) => {
      const found = await runInTurn(() => ignoreTimeout(() => worker.run(meter, { what: 'roots', beef }, scriptMs)));
      if (found === undefined) return false;
      const { roots } = found;
      await askChain(this.tracker, { roots, spentCoinbases, lockHeight: lockTimes.height }, chainMs);
      for (const milliseconds of attempts) {
        const work = () => worker.run(meter, { what: 'scripts', beef, roots }, milliseconds);
        if (await runInTurn(() => ignoreTimeout(work))) return true;
      }
      return false;
    });
  }
}

/** @returns undefined when the time was not enough */
async function ignoreTimeout<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof ScriptTimeoutError) return undefined;
    throw error;
  }
}
