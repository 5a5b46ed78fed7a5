import type { Logger } from './logger.js';

/** What strangers can cause as often as they like: so many lines at once, then so many in each second, of one kind. */
const BURST = 1_000;
const PER_SECOND = 20;
const SUMMARY_MS = 10_000;
const MAX_PATH = 200;

/** What is needed of a logger here. */
type LineLog = Pick<Logger, 'info' | 'warn' | 'error'>;

export interface LimitedLinesOptions {
  /** Lines of one kind that are written at once; default 1,000. */
  readonly burst?: number;
  /** Lines of one kind that are written in a second on average; default 20. */
  readonly perSecond?: number;
  /** Milliseconds of a clock that only goes forward. Default `performance.now`. */
  readonly now?: () => number;
}

interface Kind {
  tokens: number;
  filledAt: number;
  leftOut: number;
}

/**
 * Writes lines about what strangers do, such as refusals, with a bound on how many of them reach the log: it must not push
 * out everything else. Every 10 s one line says how many were left out. Lines with the same message are of one kind.
 */
export class LimitedLines {
  readonly #kinds = new Map<string, Kind>();
  readonly #burst: number;
  readonly #perSecond: number;
  readonly #now: () => number;
  #summary: NodeJS.Timeout | undefined;

  constructor(
    private readonly log: LineLog,
    options: LimitedLinesOptions = {},
  ) {
    this.#burst = options.burst ?? BURST;
    this.#perSecond = options.perSecond ?? PER_SECOND;
    this.#now = options.now ?? (() => performance.now());
  }

  /** @param message one of a few constants, never made of what came from outside */
  write(level: 'info' | 'warn' | 'error', about: object, message: string): void {
    const kind = this.#kindOf(message);
    if (kind.tokens >= 1) {
      kind.tokens -= 1;
      this.log[level](about, message);
      return;
    }
    kind.leftOut += 1;
    if (this.#summary !== undefined) return;
    this.#summary = setTimeout(() => this.#tellLeftOut(), SUMMARY_MS);
    this.#summary.unref();
  }

  #kindOf(message: string): Kind {
    const now = this.#now();
    const kind = this.#kinds.get(message) ?? { tokens: this.#burst, filledAt: now, leftOut: 0 };
    kind.tokens = Math.min(this.#burst, kind.tokens + ((now - kind.filledAt) * this.#perSecond) / 1_000);
    kind.filledAt = now;
    this.#kinds.set(message, kind);
    return kind;
  }

  #tellLeftOut(): void {
    this.#summary = undefined;
    for (const [message, kind] of this.#kinds) {
      if (kind.leftOut === 0) continue;
      this.log.warn({ lines: message, leftOut: kind.leftOut }, 'log lines were left out');
      kind.leftOut = 0;
    }
  }
}

const shared = new WeakMap<LineLog, LimitedLines>();

/** The limited lines of a logger. All who write to the same logger share them, so that the bound is the process's. */
export function limitedLines(log: LineLog): LimitedLines {
  let lines = shared.get(log);
  if (lines === undefined) {
    lines = new LimitedLines(log);
    shared.set(log, lines);
  }
  return lines;
}

/** A path as a log line shows it: what a client has made up may be long. */
export function pathForLog(path: string): string {
  return path.length <= MAX_PATH ? path : `${path.slice(0, MAX_PATH)}…`;
}
