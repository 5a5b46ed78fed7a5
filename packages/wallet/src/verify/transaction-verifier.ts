import type { ChainTracker } from '@bsv/sdk';
import { InvalidTransactionError, type ParsedBeef, parseBeef, type TransactionOutput } from '../beef/index.js';
import { askChain } from './ask-chain.js';
import { FairQueue, type Place, QueueFullError } from './fair-queue.js';
import { neededPart } from './needed-part.js';
import { type ScriptAnswer, type ScriptJob, ScriptProcess, ScriptProcessError } from './script-process.js';
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
  /** Verifications at a time, of which one runs. Default 64. */
  readonly waiting: number;
  /** Of them, those that one asks for. Default 16. */
  readonly waitingOfOne: number;
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
  waiting: 64,
  waitingOfOne: 16,
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
 * work. What is cheap is checked at once, and the merkle paths before any script is run: inventing a script costs nothing,
 * and a block does. Scripts run in a process of their own that is ended when they take too long, and replaced from time to
 * time because the library never forgets a public key. Those who ask take turns.
 */
export class TransactionVerifier {
  private readonly limits: VerifierLimits;
  private process: ScriptProcess | undefined;
  private verificationsOfProcess = 0;
  private signatureChecksOfProcess = 0;
  private readonly queue: FairQueue;
  private closed = false;

  /** @param tracker of the chain; called for each verification that got that far, so it should remember what it opened */
  constructor(
    private readonly tracker: () => Promise<ChainTracker>,
    limits: Partial<VerifierLimits> = {},
  ) {
    this.limits = { ...DEFAULT_LIMITS, ...limits };
    this.queue = new FairQueue(this.limits);
  }

  /**
   * @param beef BEEF V1, V2 or AtomicBEEF; verified is the transaction that the atomic one is about, else the last
   * @param askedBy who asks, such as an identity or an address: nobody waits for more than one turn of each other
   * @throws {InvalidTransactionError} with the reason
   * @throws {ChainUnavailableError} when the chain could not be asked: retriable
   * @throws {VerifierBusyError} when too many are waiting: retriable
   */
  async verify(beef: Uint8Array | readonly number[], askedBy = ''): Promise<VerifiedTransaction> {
    try {
      return await this.queue.enter(askedBy, (place) => this.verifyIn(place, beef));
    } catch (error) {
      throw error instanceof QueueFullError ? new VerifierBusyError() : error;
    }
  }

  private async verifyIn({ turn }: Place, beef: Uint8Array | readonly number[]): Promise<VerifiedTransaction> {
    const parsed = this.scan(beef);
    const needed = neededPart(parsed, { inputs: this.limits.inputs, hashes: this.limits.hashes });
    const found = await turn(() => this.ask({ what: 'roots', beef: needed.beef }));
    await askChain(this.tracker, found.roots, needed.spentCoinbases, this.limits.chainMs);
    await turn(() => this.ask({ what: 'scripts', beef: needed.beef, roots: found.roots }));
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

  /** @throws {InvalidTransactionError}, {VerifierBusyError} */
  private async ask(job: Pick<ScriptJob, 'what' | 'beef' | 'roots'>): Promise<Verified> {
    if (this.closed) throw new VerifierBusyError();
    this.process ??= new ScriptProcess();
    const { scriptMemory, signatureChecks, scriptMs } = this.limits;
    let answer: ScriptAnswer;
    try {
      answer = await this.process.run({ ...job, scriptMemory, signatureChecks, milliseconds: scriptMs });
      if (job.what === 'scripts') this.verificationsOfProcess += 1;
      this.signatureChecksOfProcess += answer.signatureChecks;
      if (this.isUsedUp(answer)) await this.endProcess();
    } catch (error) {
      await this.endProcess();
      if (!(error instanceof ScriptProcessError)) throw error;
      // That the process could not start is not this transaction's fault.
      if (this.closed || error.why === 'start') throw new VerifierBusyError();
      const what = error.why === 'time' ? `more than ${scriptMs} ms` : 'too much memory';
      throw new InvalidTransactionError('limit', `Verifying the transaction takes ${what}.`);
    }
    if ('refused' in answer) throw refusal(answer);
    return answer;
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

type Verified = Extract<ScriptAnswer, { roots: unknown }>;

function refusal({ refused, because }: Extract<ScriptAnswer, { refused: string }>): InvalidTransactionError {
  const what = { script: 'A script fails', proof: 'A merkle path is wrong', limit: 'The transaction costs too much' };
  return new InvalidTransactionError(refused, `${what[refused]}: ${because}.`);
}
