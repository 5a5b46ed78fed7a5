import type { ChainTracker } from '@bsv/sdk';
import { InvalidTransactionError, type ParsedBeef, parseBeef, type TransactionOutput } from '../beef/index.js';
import { askChain } from './ask-chain.js';
import { neededPart } from './needed-part.js';
import { type ScriptAnswer, ScriptProcess, ScriptProcessError } from './script-process.js';
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
  /** Milliseconds that running all scripts may take. Default 5,000. */
  readonly scriptMs: number;
  /** Milliseconds that asking the chain may take. Default 10,000. */
  readonly chainMs: number;
  /** Verifications that may wait for the one that runs. Default 32. */
  readonly waiting: number;
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
  chainMs: 10_000,
  waiting: 32,
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
}

/**
 * Verifies transactions of strangers as BRC-67 asks (scripts, amounts, merkle paths against the chain), with bounded
 * work. What is cheap is checked at once; scripts run in a process of their own that is ended when they take too long, and replaced
 * from time to time because the library never forgets a public key.
 */
export class TransactionVerifier {
  private readonly limits: VerifierLimits;
  private process: ScriptProcess | undefined;
  private verificationsOfProcess = 0;
  private signatureChecksOfProcess = 0;
  private turn: Promise<unknown> = Promise.resolve();
  private pending = 0;
  private closed = false;

  /** @param tracker of the chain; called for each verification that got that far, so it should remember what it opened */
  constructor(
    private readonly tracker: () => Promise<ChainTracker>,
    limits: Partial<VerifierLimits> = {},
  ) {
    this.limits = { ...DEFAULT_LIMITS, ...limits };
  }

  /**
   * @param beef BEEF V1, V2 or AtomicBEEF; verified is the transaction that the atomic one is about, else the last
   * @throws {InvalidTransactionError} with the reason
   * @throws {ChainUnavailableError} when the chain could not be asked: retriable
   * @throws {VerifierBusyError} when too many are waiting: retriable
   */
  async verify(beef: Uint8Array | readonly number[]): Promise<VerifiedTransaction> {
    if (this.pending > this.limits.waiting) throw new VerifierBusyError();
    const parsed = this.scan(beef);
    const needed = neededPart(parsed, { inputs: this.limits.inputs, hashes: this.limits.hashes });
    this.pending += 1;
    try {
      const answer = await this.inTurn(() => this.runScripts(needed.beef));
      if ('refused' in answer) throw refusal(answer);
      await askChain(this.tracker, answer.roots, needed.spentCoinbases, this.limits.chainMs);
    } finally {
      this.pending -= 1;
    }
    const { txid, proof, outputs } = parsed.subject;
    return { txid, proven: proof !== undefined, outputs, beef: needed.beef };
  }

  /**
   * The id of the transaction that would be verified. Nothing is verified yet.
   *
   * @throws {InvalidTransactionError} when the bytes are no BEEF, or one that is larger than allowed
   */
  identify(beef: Uint8Array | readonly number[]): string {
    return this.scan(beef).subject.txid;
  }

  /** Ends the process. What still waits is refused. */
  async close(): Promise<void> {
    this.closed = true;
    await this.endProcess();
  }

  private scan(beef: Uint8Array | readonly number[]): ParsedBeef {
    if (beef.length > this.limits.bytes) {
      throw new InvalidTransactionError('limit', `The BEEF is larger than ${this.limits.bytes} bytes.`);
    }
    return parseBeef(beef instanceof Uint8Array ? beef : Uint8Array.from(beef), this.limits.transactions);
  }

  private inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.turn.then(work);
    this.turn = result.catch(() => undefined);
    return result;
  }

  private async runScripts(beef: Uint8Array): Promise<ScriptAnswer> {
    if (this.closed) throw new VerifierBusyError();
    this.process ??= new ScriptProcess();
    const { scriptMemory, signatureChecks, scriptMs } = this.limits;
    try {
      const answer = await this.process.run({ beef, scriptMemory, signatureChecks, milliseconds: scriptMs });
      this.verificationsOfProcess += 1;
      this.signatureChecksOfProcess += answer.signatureChecks;
      if (this.isUsedUp(answer)) await this.endProcess();
      return answer;
    } catch (error) {
      await this.endProcess();
      if (!(error instanceof ScriptProcessError)) throw error;
      // That the process could not start is not this transaction's fault.
      if (this.closed || error.why === 'start') throw new VerifierBusyError();
      const what = error.why === 'time' ? `more than ${scriptMs} ms` : 'too much memory';
      throw new InvalidTransactionError('limit', `Verifying the transaction takes ${what}.`);
    }
  }

  private isUsedUp({ heapUsed }: ScriptAnswer): boolean {
    return (
      this.verificationsOfProcess >= this.limits.processVerifications ||
      this.signatureChecksOfProcess >= this.limits.processSignatureChecks ||
      heapUsed > ScriptProcess.USED_UP_BYTES
    );
  }

  private async endProcess(): Promise<void> {
    const { process } = this;
    this.process = undefined;
    this.verificationsOfProcess = 0;
    this.signatureChecksOfProcess = 0;
    await process?.end();
  }
}

function refusal({ refused, because }: Extract<ScriptAnswer, { refused: string }>): InvalidTransactionError {
  const what = { script: 'A script fails', proof: 'A merkle path is wrong', limit: 'The transaction costs too much' };
  return new InvalidTransactionError(refused, `${what[refused]}: ${because}.`);
}
