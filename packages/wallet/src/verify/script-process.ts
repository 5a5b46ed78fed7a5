import { type ChildProcess, fork } from 'node:child_process';
import { setPriority } from 'node:os';
import { fileURLToPath } from 'node:url';

/** What the process found out, or why it refuses. Mirrors the typedefs in run-scripts.js. */
export type ScriptAnswer = ({ readonly roots: readonly BlockRoot[] } | Refusal) & {
  /** How many signatures were checked; each new key of one stays in the process's memory. */
  readonly signatureChecks: number;
  /** Milliseconds of CPU that the job took. */
  readonly cpuMs: number;
  /** Bytes of its heap in use afterwards. */
  readonly heapUsed: number;
};

export interface BlockRoot {
  /** Merkle root, hex. */
  readonly root: string;
  readonly height: number;
}

interface Refusal {
  /** `time`: it takes more than the milliseconds that it was given. */
  readonly refused: 'script' | 'proof' | 'limit' | 'time';
  readonly because: string;
}

export interface ScriptJob {
  /** `roots`: those that the merkle paths lead to. `scripts`: whether they all end well. */
  readonly what: 'roots' | 'scripts';
  readonly beef: Uint8Array;
  /** For `scripts`: those that are right. */
  readonly roots?: readonly BlockRoot[];
  /** Bytes that the stacks of a script may hold. */
  readonly scriptMemory: number;
  /** Signatures that may be checked. */
  readonly signatureChecks: number;
  /** Milliseconds of CPU that the scripts may take. */
  readonly milliseconds: number;
}

/** The process did not start, did not answer in time, or ended on its way: out of memory, most likely. */
export class ScriptProcessError extends Error {
  override readonly name = 'ScriptProcessError';

  constructor(readonly why: 'start' | 'time' | 'memory') {
    super(`The process that runs scripts ended: ${why}.`);
  }
}

const HEAP_MB = 192;
/** Loading the library, on a machine that is busy. */
const START_MS = 30_000;
/**
 * The process minds the CPU time of its job itself, between two steps of a script. It is ended from outside when one step
 * takes too long by the clock, of which a busy machine needs more.
 */
const CLOCK_PER_CPU = 2;
const GRACE_MS = 500;

/**
 * A process that runs strangers' scripts, one job at a time. A thread would not do: a script that needs one large piece
 * of memory too many ends the whole process, whatever the limits of its thread. Good for nothing after it has rejected.
 */
export class ScriptProcess {
  /** Half of what it may have: more, and what it remembers would be at an honest job's expense. */
  static readonly USED_UP_BYTES = (HEAP_MB / 2) * 2 ** 20;

  private readonly child: ChildProcess;
  private readonly ready: Promise<unknown>;
  private readonly exited: Promise<void>;

  /** @param niceness what the operating system is to prefer before it: 0, nothing, to 19, everything */
  constructor(niceness = 0) {
    this.child = fork(fileURLToPath(new URL('./run-scripts.js', import.meta.url)), [], {
      // Nothing of the environment, where secrets are, and nothing of this process's options or output.
      env: {},
      execArgv: [`--max-old-space-size=${HEAP_MB}`],
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      serialization: 'advanced',
    });
    this.exited = new Promise((resolve) => {
      this.child.once('exit', () => resolve());
      this.child.once('error', () => resolve());
    });
    // Those who wait are told by way of `exited`.
    this.child.on('error', () => undefined);
    if (niceness > 0 && this.child.pid !== undefined) lowerPriority(this.child.pid, niceness);
    this.ready = this.reply('start', START_MS);
    this.ready.catch(() => undefined);
    this.letGo();
  }

  /** @throws {ScriptProcessError} */
  async run(job: ScriptJob): Promise<ScriptAnswer> {
    this.hold();
    try {
      await this.ready;
      const answer = this.reply<ScriptAnswer>('memory', job.milliseconds * CLOCK_PER_CPU + GRACE_MS);
      this.child.send(job, () => undefined);
      return await answer;
    } finally {
      this.letGo();
    }
  }

  async end(): Promise<void> {
    this.child.kill('SIGKILL');
    if (this.child.pid !== undefined) await this.exited;
  }

  private async reply<T>(whenEnded: 'start' | 'memory', timeoutMs: number): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    let listener: ((message: T) => void) | undefined;
    try {
      return await new Promise<T>((resolve, reject) => {
        listener = resolve;
        this.child.once('message', resolve as (message: unknown) => void);
        void this.exited.then(() => reject(new ScriptProcessError(whenEnded)));
        const why = whenEnded === 'start' ? 'start' : 'time';
        timer = setTimeout(() => reject(new ScriptProcessError(why)), timeoutMs);
      });
    } finally {
      clearTimeout(timer);
      if (listener !== undefined) this.child.off('message', listener);
    }
  }

  /** An idle one must not keep this process from ending; it ends by itself when its channel closes. */
  private letGo(): void {
    this.child.unref();
    this.child.channel?.unref();
  }

  private hold(): void {
    this.child.ref();
    this.child.channel?.ref();
  }
}

function lowerPriority(pid: number, niceness: number): void {
  try {
    setPriority(pid, niceness);
  } catch {
    // It has ended already, or the operating system knows no priorities. What it may take is bounded all the same.
  }
}
