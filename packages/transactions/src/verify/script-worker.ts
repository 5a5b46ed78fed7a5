import { InvalidTransactionError } from '../beef/invalid-transaction-error.js';
import type { CostAccounts, CostMeter } from './cost-accounts.js';
import { FairQueue, type FairQueueLimits, type QueueSlot } from './fair-queue.js';
import { type ScriptAnswer, type ScriptJob, ScriptProcess, ScriptProcessError } from './script-process.js';
import { VerifierBusyError } from './verify-errors.js';

/** Limits of a worker's queue and process. */
export interface ScriptWorkerLimits extends FairQueueLimits {
  /** Bytes that the stacks of a script may hold. */
  readonly scriptMemory: number;
  /** Signatures that scripts may check. */
  readonly signatureChecks: number;
  /** Verifications, and signature checks, after which the process is replaced. */
  readonly processVerifications: number;
  readonly processSignatureChecks: number;
  /** Priority of the process, as of nice(1): 0 is normal, 19 is the lowest. */
  readonly niceness: number;
}

/** The job took more than its milliseconds. */
export class ScriptTimeoutError extends Error {
  override readonly name = 'ScriptTimeoutError';
}

type ScriptSuccess = Extract<ScriptAnswer, { roots: unknown }>;

/**
 * A queue with the process that runs its jobs. The process is replaced from time to time, because the SDK keeps every public
 * key in memory. The cost of a job is measured in the process and charged to its source, whatever the outcome.
 */
export class ScriptWorker {
  readonly #queue: FairQueue;
  #process: ScriptProcess | undefined;
  #verifications = 0;
  #signatureChecks = 0;
  #isClosed = false;

  constructor(
    private readonly limits: ScriptWorkerLimits,
    accounts: CostAccounts,
  ) {
    this.#queue = new FairQueue(limits, accounts);
  }

  /** See {@link FairQueue.enter}. */
  enter<T>(source: string, expected: number, work: (place: QueueSlot) => Promise<T>): Promise<T> {
    return this.#queue.enter(source, expected, work);
  }

  /**
   * Runs a job. The caller must have the turn.
   *
   * @param meter is charged with the cost
   * @param milliseconds of CPU that the job may take
   * @throws {InvalidTransactionError}, {@link ScriptTimeoutError}, {@link VerifierBusyError}
   */
  async run(
    meter: CostMeter,
    job: Pick<ScriptJob, 'what' | 'beef' | 'roots'>,
    milliseconds: number,
  ): Promise<ScriptSuccess> {
    if (this.#isClosed) throw new VerifierBusyError();
    this.#process ??= new ScriptProcess(this.limits.niceness);
    const { scriptMemory, signatureChecks } = this.limits;
    let answer: ScriptAnswer;
    try {
      answer = await this.#process.run({ ...job, scriptMemory, signatureChecks, milliseconds });
    } catch (error) {
      await this.#endProcess();
      if (!(error instanceof ScriptProcessError)) throw error;
      // A process that cannot start says nothing about the transaction.
      if (this.#isClosed || error.why === 'start') throw new VerifierBusyError();
      meter.charge(milliseconds);
      if (error.why === 'time') throw new ScriptTimeoutError();
      throw new InvalidTransactionError('limit', 'Verifying the transaction takes too much memory.');
    }
    meter.charge(answer.cpuMs);
    if (job.what === 'scripts') this.#verifications += 1;
    this.#signatureChecks += answer.signatureChecks;
    if (this.#isWornOut(answer)) await this.#endProcess();
    if (!('refused' in answer)) return answer;
    const { refused, because } = answer;
    if (refused === 'time') throw new ScriptTimeoutError();
    throw new InvalidTransactionError(refused, `${REFUSAL_MESSAGES[refused]}: ${because}.`);
  }

  /** Ends the process. Jobs that still wait are refused. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#endProcess();
  }

  #isWornOut({ heapUsed }: ScriptAnswer): boolean {
    return (
      this.#verifications >= this.limits.processVerifications ||
      this.#signatureChecks >= this.limits.processSignatureChecks ||
      heapUsed > ScriptProcess.WORN_OUT_HEAP_BYTES
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

const REFUSAL_MESSAGES = {
  script: 'A script fails',
  proof: 'A merkle path is wrong',
  limit: 'The transaction costs too much',
};
