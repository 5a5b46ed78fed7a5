import { type ChildProcess, fork } from 'node:child_process';
import { setPriority } from 'node:os';
import { fileURLToPath } from 'node:url';

/** The answer of the process, which mirrors the typedefs in run-scripts.js. */
export type ScriptAnswer = ({ readonly roots: readonly BlockRoot[] } | Refusal) & {
  /** Number of signature checks. Each new public key stays in the memory of the process. */
  readonly signatureChecks: number;
  /** Milliseconds of CPU that the job took. */
  readonly cpuMs: number;
  /** Bytes of the heap in use after the job. */
  readonly heapUsed: number;
};

/** A merkle root and the height of its block. */
export interface BlockRoot {
  /** Hex. */
  readonly root: string;
  readonly height: number;
}

interface Refusal {
  /** `time`: the job exceeded its milliseconds. */
  readonly refused: 'script' | 'proof' | 'limit' | 'time';
  readonly because: string;
}

/** A job for the process. */
export interface ScriptJob {
  /** `roots` computes the roots of the merkle paths. `scripts` runs all scripts. */
  readonly what: 'roots' | 'scripts';
  readonly beef: Uint8Array;
  /** For `scripts`: the roots that the chain has confirmed. */
  readonly roots?: readonly BlockRoot[];
  /** Bytes that the stacks of a script may hold. */
  readonly scriptMemory: number;
  /** Signatures that may be checked. */
  readonly signatureChecks: number;
  /** Milliseconds of CPU that the scripts may take. */
  readonly milliseconds: number;
}

/** The process did not start, did not answer in time, or ended, which most likely means that it ran out of memory. */
export class ScriptProcessError extends Error {
  override readonly name = 'ScriptProcessError';

  constructor(readonly why: 'start' | 'time' | 'memory') {
    super(`The process that runs scripts ended: ${why}.`);
  }
}

const MAX_HEAP_MB = 192;
/** Loading the SDK takes long on a busy machine. */
const START_TIMEOUT_MS = 30_000;
/**
 * The process checks the CPU time of its job between two steps of a script. It is killed when a single step takes too long
 * by the clock. The factor allows for a busy machine.
 */
const CLOCK_PER_CPU = 2;
const GRACE_MS = 500;

/**
 * A process that runs the scripts of strangers, one job at a time. A thread is not enough: one large allocation ends the
 * whole process, whatever the limits of the thread. After a rejected job the process cannot be used again.
 */
export class ScriptProcess {
  /** Half of the heap. Beyond it, the memory of earlier jobs could make an honest job fail. */
  static readonly WORN_OUT_HEAP_BYTES = (MAX_HEAP_MB / 2) * 2 ** 20;

  readonly #child: ChildProcess;
  readonly #ready: Promise<unknown>;
  readonly #exited: Promise<void>;

  /** @param niceness as of nice(1): 0 is normal, 19 is the lowest priority */
  constructor(niceness = 0) {
    this.#child = fork(fileURLToPath(new URL('./run-scripts.js', import.meta.url)), [], {
      // The environment holds secrets. Options and output of this process are not inherited either.
      env: {},
      execArgv: [`--max-old-space-size=${MAX_HEAP_MB}`],
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      serialization: 'advanced',
    });
    this.#exited = new Promise((resolve) => {
      this.#child.once('exit', () => resolve());
      this.#child.once('error', () => resolve());
    });
    // Callers that wait are rejected through `exited`.
    this.#child.on('error', () => undefined);
    if (niceness > 0 && this.#child.pid !== undefined) lowerPriority(this.#child.pid, niceness);
    this.#ready = this.#waitForReply('start', START_TIMEOUT_MS);
    this.#ready.catch(() => undefined);
    this.#unref();
  }

  /** Runs one job. @throws {ScriptProcessError} */
  async run(job: ScriptJob): Promise<ScriptAnswer> {
    this.#ref();
    try {
      await this.#ready;
      const answer = this.#waitForReply<ScriptAnswer>('memory', job.milliseconds * CLOCK_PER_CPU + GRACE_MS);
      this.#child.send(job, () => undefined);
      return await answer;
    } finally {
      this.#unref();
    }
  }

  /** Kills the process and waits for its end. */
  async end(): Promise<void> {
    this.#child.kill('SIGKILL');
    if (this.#child.pid !== undefined) await this.#exited;
  }

  async #waitForReply<T>(whenEnded: 'start' | 'memory', timeoutMs: number): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    let listener: ((message: T) => void) | undefined;
    try {
      return await new Promise<T>((resolve, reject) => {
        listener = resolve;
        this.#child.once('message', resolve as (message: unknown) => void);
        void this.#exited.then(() => reject(new ScriptProcessError(whenEnded)));
        const why = whenEnded === 'start' ? 'start' : 'time';
        timer = setTimeout(() => reject(new ScriptProcessError(why)), timeoutMs);
      });
    } finally {
      clearTimeout(timer);
      if (listener !== undefined) this.#child.off('message', listener);
    }
  }

  /** An idle process must not keep this one alive. It ends by itself when its channel closes. */
  #unref(): void {
    this.#child.unref();
    this.#child.channel?.unref();
  }

  #ref(): void {
    this.#child.ref();
    this.#child.channel?.ref();
  }
}

function lowerPriority(pid: number, niceness: number): void {
  try {
    setPriority(pid, niceness);
  } catch {
    // The process has ended already, or the system has no priorities. The limits hold without them.
  }
}
