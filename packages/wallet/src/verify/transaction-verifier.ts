import type { ChainTracker } from '@bsv/sdk';
import { InvalidTransactionError, type ParsedBeef, parseBeef, type TransactionOutput } from '../beef/index.js';
import { askChain } from './ask-chain.js';
import { Bill, CostAccounts } from './cost-accounts.js';
import { QueueFullError } from './fair-queue.js';
import { assertTimePassed } from './finality.js';
import { type NeededPart, neededPart } from './needed-part.js';
import { OutOfTimeError, ScriptLane } from './script-lane.js';
import { VerifierBusyError } from './verify-errors.js';

/** What one verification may take. */
export interface VerifierLimits {
  /** Bytes of a BEEF. Default 1,000,000. */
  readonly bytes: number;
  /** Transactions in a BEEF. Default 200. */
  readonly transactions: number;
  /** Inputs whose scripts are run. Default 500. */
  readonly inputs: number;
  /** Hashes in the merkle paths that are needed. Default 2,000. */
  readonly hashes: number;
  /** Signatures that scripts may check. Default 1,000. */
  readonly signatureChecks: number;
  /** Bytes that the stacks of a script may hold. Default 2,000,000. */
  readonly scriptMemory: number;
  /** Milliseconds of CPU that running all scripts may take. Default 5,000. */
  readonly scriptMs: number;
  /** Of them, what everybody may take before those are served who have not had as much. Default 400. */
  readonly sliceMs: number;
  /** Milliseconds that asking the chain may take. Default 10,000. */
  readonly chainMs: number;
  /** Verifications at a time whose scripts are known to be cheap, of which one runs. Default 64. */
  readonly waiting: number;
  /** Of them, those that one source asks for. Default 16. */
  readonly waitingOfOne: number;
  /** The same for other scripts. Defaults 32 and 4. */
  readonly slowWaiting: number;
  readonly slowWaitingOfOne: number;
  /** Milliseconds after which a verification that still waits is turned away. Default 10,000. */
  readonly waitMs: number;
  /** Verifications, and signature checks, after which the process is replaced. Defaults 500 and 20,000. */
  readonly processVerifications: number;
  readonly processSignatureChecks: number;
}

const DEFAULT_LIMITS: VerifierLimits = {
  bytes: 1_000_000,
  transactions: 200,
  inputs: 500,
  hashes: 2_000,
  signatureChecks: 1_000,
  scriptMemory: 2_000_000,
  scriptMs: 5_000,
  sliceMs: 400,
  chainMs: 10_000,
  waiting: 64,
  waitingOfOne: 16,
  slowWaiting: 32,
  slowWaitingOfOne: 4,
  waitMs: 10_000,
  processVerifications: 500,
  processSignatureChecks: 20_000,
};

export interface VerifiedTransaction {
  /** Hex. */
  readonly txid: string;
  /** Whether it is in a block. If not, it is valid but for a double spend, which no BEEF can exclude. */
  readonly proven: boolean;
  readonly outputs: readonly TransactionOutput[];
  /** A plain BEEF V2 with only what the transaction needs, ancestors first and itself last. See also `atomicBeef()`. */
  readonly beef: Uint8Array;
  /** Milliseconds of CPU that verifying it took. */
  readonly cost: number;
}

/** The processor is the honest sender's first: what nobody can foresee runs when there is nothing else to do. */
const SLOW_NICENESS = 10;

/**
 * Verifies transactions of strangers as BRC-67 asks (scripts, amounts, lock times, merkle paths against the chain), with
 * bounded work. What is cheap is checked at once, and the merkle paths before any script is run: inventing a script costs
 * nothing, and a block does. Scripts run in processes of their own that are ended when they take too long.
 *
 * Those who ask are admitted by what they cost, measured in those processes (see {@link CostAccounts}), in two lanes:
 * payments to keys and tokens, whose cost is known beforehand, wait for nothing else. What is not, or takes longer than
 * foreseen, has a lane and a process of its own, in which everybody gets a slice of time before anybody gets more.
 */
export class TransactionVerifier {
  private readonly limits: VerifierLimits;
  private readonly accounts = new CostAccounts();
  private readonly cheap: ScriptLane;
  private readonly slow: ScriptLane;

  /** @param tracker of the chain; called for each verification that got that far, so it should remember what it opened */
  constructor(
    private readonly tracker: () => Promise<ChainTracker>,
    limits: Partial<VerifierLimits> = {},
  ) {
    this.limits = { ...DEFAULT_LIMITS, ...limits };
    const { slowWaiting: waiting, slowWaitingOfOne: waitingOfOne } = this.limits;
    this.cheap = new ScriptLane({ ...this.limits, niceness: 0 }, this.accounts);
    this.slow = new ScriptLane({ ...this.limits, waiting, waitingOfOne, niceness: SLOW_NICENESS }, this.accounts);
  }

  /**
   * @param beef BEEF V1, V2 or AtomicBEEF; verified is the transaction that the atomic one is about, else the last
   * @param askedBy who asks, such as an identity or an address: who has cost less than others lately goes before them
   * @throws {InvalidTransactionError} with the reason
   * @throws {ChainUnavailableError} when the chain could not be asked: retriable
   * @throws {VerifierBusyError} when too many are waiting: retriable
   */
  async verify(beef: Uint8Array | readonly number[], askedBy = ''): Promise<VerifiedTransaction> {
    const bill = new Bill(this.accounts, askedBy);
    try {
      const { parsed, needed } = bill.timed(() => this.look(beef));
      await this.verifyScripts(needed, bill);
      const { txid, proof, outputs } = parsed.subject;
      return { txid, proven: proof !== undefined, outputs, beef: needed.beef, cost: bill.milliseconds };
    } catch (error) {
      if (error instanceof InvalidTransactionError) this.accounts.chargeInVain(askedBy, bill.milliseconds);
      throw error instanceof QueueFullError ? new VerifierBusyError() : error;
    }
  }

  /**
   * Tells what became of a transaction that was verified: who brings what is of use goes before who does not.
   *
   * @param outcome `useful`, such as a payment that was taken, or `useless`: it was valid, and verified in vain
   * @param cost milliseconds, see {@link VerifiedTransaction.cost}
   */
  report(askedBy: string, outcome: 'useful' | 'useless', cost: number): void {
    if (outcome === 'useful') this.accounts.commend(askedBy);
    else this.accounts.chargeInVain(askedBy, cost);
  }

  /**
   * The id of the transaction that would be verified. Nothing is verified yet.
   *
   * @throws {InvalidTransactionError} when the bytes are no BEEF, or one that is larger than allowed
   */
  identify(beef: Uint8Array | readonly number[]): string {
    return this.scan(beef).subject.txid;
  }

  /** Ends the processes. What still waits is refused. */
  async close(): Promise<void> {
    await Promise.all([this.cheap.close(), this.slow.close()]);
  }

  private scan(beef: Uint8Array | readonly number[]): ParsedBeef {
    if (beef.length > this.limits.bytes) {
      throw new InvalidTransactionError('limit', `The BEEF is larger than ${this.limits.bytes} bytes.`);
    }
    return parseBeef(beef instanceof Uint8Array ? beef : Uint8Array.from(beef), this.limits.transactions);
  }

  private look(beef: Uint8Array | readonly number[]): { parsed: ParsedBeef; needed: NeededPart } {
    const parsed = this.scan(beef);
    const needed = neededPart(parsed, { inputs: this.limits.inputs, hashes: this.limits.hashes });
    assertTimePassed(needed.lockedUntil, Date.now());
    return { parsed, needed };
  }

  private async verifyScripts(needed: NeededPart, bill: Bill): Promise<void> {
    const { scriptMs } = this.limits;
    const sliceMs = Math.min(this.limits.sliceMs, scriptMs);
    const { milliseconds, isPredictable } = needed.estimate;
    const isCheap = isPredictable && milliseconds <= sliceMs / 2;
    if (isCheap && (await this.isVerifiedIn(this.cheap, needed, bill, milliseconds, [sliceMs]))) return;
    if (await this.isVerifiedIn(this.slow, needed, bill, sliceMs, [sliceMs, scriptMs])) return;
    throw new InvalidTransactionError('limit', `Verifying the transaction takes more than ${scriptMs} ms.`);
  }

  /**
   * @param attempts milliseconds that the scripts may take, each attempt in a turn of its own
   * @returns false when that is not enough
   * @throws {InvalidTransactionError}, {@link ChainUnavailableError}, {@link VerifierBusyError}, {@link QueueFullError}
   */
  private isVerifiedIn(
    lane: ScriptLane,
    { beef, spentCoinbases, lockedUntil }: NeededPart,
    bill: Bill,
    expected: number,
    attempts: readonly number[],
  ): Promise<boolean> {
    const { scriptMs, chainMs } = this.limits;
    return lane.enter(bill.source, expected, async ({ turn }) => {
      const found = await turn(() => inTime(() => lane.run(bill, { what: 'roots', beef }, scriptMs)));
      if (found === undefined) return false;
      const { roots } = found;
      await askChain(this.tracker, { roots, spentCoinbases, lockHeight: lockedUntil.height }, chainMs);
      for (const milliseconds of attempts) {
        const work = () => lane.run(bill, { what: 'scripts', beef, roots }, milliseconds);
        if (await turn(() => inTime(work))) return true;
      }
      return false;
    });
  }
}

/** @returns undefined when the time is not enough */
async function inTime<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof OutOfTimeError) return undefined;
    throw error;
  }
}
