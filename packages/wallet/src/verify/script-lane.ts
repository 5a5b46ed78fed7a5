import { InvalidTransactionError } from '../beef/index.js';
import type { Bill, CostAccounts } from './cost-accounts.js';
import { FairQueue, type FairQueueLimits, type Place } from './fair-queue.js';
import { type ScriptAnswer, type ScriptJob, ScriptProcess, ScriptProcessError } from './script-process.js';
import { VerifierBusyError } from './verify-errors.js';

export interface ScriptLaneLimits extends FairQueueLimits {
  /** Bytes that the stacks of a script may hold. */
  readonly scriptMemory: number;
  /** Signatures that scripts may check. */
  readonly signatureChecks: number;
  /** Verifications, and signature checks, after which the process is replaced. */
  readonly processVerifications: number;
  readonly processSignatureChecks: number;
  /** What the operating system is to prefer before the process: 0, nothing, to 19, everything. */
  readonly niceness: number;
}

/** The job takes more than the milliseconds that it was given. */
export class OutOfTimeError extends Error {
  override readonly name = 'OutOfTimeError';
}

type Answered = Extract<ScriptAnswer, { roots: unknown }>;

/**
 * A queue and the process that works through it, replaced from time to time because the library never forgets a public
 * key. What a job takes is measured in the process and charged to its source, whatever comes of it.
 */
export class ScriptLane {
  readonly #queue: FairQueue;
  #process: ScriptProcess | undefined;
  #verifications = 0;
  #signatureChecks = 0;
  #isClosed = false;

  constructor(
    private readonly limits: ScriptLaneLimits,
    accounts: CostAccounts,
  ) {
    this.#queue = new FairQueue(limits, accounts);
  }

  /** See {@link FairQueue.enter}. */
  enter<T>(source: string, expected: number, work: (place: Place) => Promise<T>): Promise<T> {
    return this.#queue.enter(source, expected, work);
  }

  /**
   * Runs a job. To be called in a turn.
   *
   * @param bill is charged with what it takes
   * @param milliseconds of CPU that it may take
   * @throws {InvalidTransactionError}, {@link OutOfTimeError}, {@link VerifierBusyError}
   */
  async run(bill: Bill, job: Pick<ScriptJob, 'what' | 'beef' | 'roots'>, milliseconds: number): Promise<Answered> {
    if (this.#isClosed) throw new VerifierBusyError();
    this.#process ??= new ScriptProcess(this.limits.niceness);
    const { scriptMemory, signatureChecks } = this.limits;
    let answer: ScriptAnswer;
    try {
      answer = await this.#process.run({ ...job, scriptMemory, signatureChecks, milliseconds });
    } catch (error) {
      await this.#endProcess();
      if (!(error instanceof ScriptProcessError)) throw error;
      // That the process could not start is not this transaction's fault.
      if (this.#isClosed || error.why === 'start') throw new VerifierBusyError();
      bill.charge(milliseconds);
      if (error.why === 'time') throw new OutOfTimeError();
      throw new InvalidTransactionError('limit', 'Verifying the transaction takes too much memory.');
    }
    bill.charge(answer.cpuMs);
    if (job.what === 'scripts') this.#verifications += 1;
    this.#signatureChecks += answer.signatureChecks;
    if (this.#isUsedUp(answer)) await this.#endProcess();
    if (!('refused' in answer)) return answer;
    const { refused, because } = answer;
    if (refused === 'time') throw new OutOfTimeError();
    throw new InvalidTransactionError(refused, `${REFUSALS[refused]}: ${because}.`);
  }

  /** Ends the process. What still waits is refused. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#endProcess();
  }

  #isUsedUp({ heapUsed }: ScriptAnswer): boolean {
    return (
      this.#verifications >= this.limits.processVerifications ||
      this.#signatureChecks >= this.limits.processSignatureChecks ||
      heapUsed > ScriptProcess.USED_UP_BYTES
    );
  }

  async #endProcess(): Promise<void> {
    const process = this.#process;
    this.#process = undefined;
    this.#verifications = 0;
    this.#signatureChecks = 0;
    await process?.end();
  }
}

const REFUSALS = { script: 'A script fails', proof: 'A merkle path is wrong', limit: 'The transaction costs too much' };
