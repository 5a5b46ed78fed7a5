import { readFileSync } from 'node:fs';

const SAMPLE_INTERVAL_MS = 50;

/** Resident memory of one process over time, in bytes. Linux only; elsewhere nothing is known and nothing is judged. */
export class MemoryWatch {
  #before = 0;
  #peak = 0;
  #last = 0;
  readonly #timer: NodeJS.Timeout;

  constructor(private readonly pid: number) {
    this.#timer = setInterval(() => this.#look(), SAMPLE_INTERVAL_MS);
    this.#look();
  }

  /** Takes the maximum so far as the memory of the process without an attack. */
  markBefore(): void {
    this.#before = this.#peak;
    this.#peak = this.#last;
  }

  get before(): number {
    return this.#before;
  }

  get peak(): number {
    return this.#peak;
  }

  get current(): number {
    this.#look();
    return this.#last;
  }

  /** Within a fifth of what it was before. */
  get isBack(): boolean {
    return this.current <= this.#before * 1.2;
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    this.#last = readResidentBytes(this.pid);
    this.#peak = Math.max(this.#peak, this.#last);
  }
}

function readResidentBytes(pid: number): number {
  try {
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1] ?? 0) * 1_024;
  } catch {
    return 0;
  }
}
