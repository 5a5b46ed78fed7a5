import type { Logger } from './logger.js';

const DEFAULT_BURST = 1_000;
const DEFAULT_LINES_PER_SECOND = 20;
const SUMMARY_INTERVAL_MS = 10_000;
const MAX_PATH_CHARACTERS = 200;

type LogWriter = Pick<Logger, 'info' | 'warn' | 'error'>;

export interface RateLimitedLogOptions {
  /** Lines of one kind that may be written at once. Default 1,000. */
  readonly burst?: number;
  /** Lines of one kind that are written per second on average. Default 20. */
  readonly perSecond?: number;
  /** Milliseconds of a clock that only goes forward. Default `performance.now`. */
  readonly now?: () => number;
}

interface LineKind {
  tokens: number;
  refilledAt: number;
  omitted: number;
}

/**
 * Writes log lines that unauthenticated clients can cause, such as refusals, and limits their number, so that they do not
 * push out all other lines. Each 10 s, one line for each kind says how many were left out. Lines with the same message are
 * of one kind.
 */
export class RateLimitedLog {
  readonly #kinds = new Map<string, LineKind>();
  readonly #burst: number;
  readonly #perSecond: number;
  readonly #now: () => number;
  #summaryTimer: NodeJS.Timeout | undefined;

  constructor(
    private readonly log: LogWriter,
    options: RateLimitedLogOptions = {},
  ) {
    this.#burst = options.burst ?? DEFAULT_BURST;
    this.#perSecond = options.perSecond ?? DEFAULT_LINES_PER_SECOND;
    this.#now = options.now ?? (() => performance.now());
  }

  /** @param message a constant; it must not contain input */
  write(level: 'info' | 'warn' | 'error', about: object, message: string): void {
    const kind = this.#refillKind(message);
    if (kind.tokens >= 1) {
      kind.tokens -= 1;
      this.log[level](about, message);
      return;
    }
    kind.omitted += 1;
    if (this.#summaryTimer !== undefined) return;
    this.#summaryTimer = setTimeout(() => this.#logOmitted(), SUMMARY_INTERVAL_MS);
    this.#summaryTimer.unref();
  }

  #refillKind(message: string): LineKind {
    const now = this.#now();
    const kind = this.#kinds.get(message) ?? { tokens: this.#burst, refilledAt: now, omitted: 0 };
    kind.tokens = Math.min(this.#burst, kind.tokens + ((now - kind.refilledAt) * this.#perSecond) / 1_000);
    kind.refilledAt = now;
    this.#kinds.set(message, kind);
    return kind;
  }

  #logOmitted(): void {
    this.#summaryTimer = undefined;
    for (const [message, kind] of this.#kinds) {
      if (kind.omitted === 0) continue;
      this.log.warn({ lines: message, leftOut: kind.omitted }, 'log lines were left out');
      kind.omitted = 0;
    }
  }
}

const rateLimitedLogs = new WeakMap<LogWriter, RateLimitedLog>();

/** The rate-limited log of a logger. There is one for each logger, so that the limit holds for the whole process. */
export function getRateLimitedLog(log: LogWriter): RateLimitedLog {
  let limitedLog = rateLimitedLogs.get(log);
  if (limitedLog === undefined) {
    limitedLog = new RateLimitedLog(log);
    rateLimitedLogs.set(log, limitedLog);
  }
  return limitedLog;
}

/** A path for a log line. Clients can send long ones. */
export function truncatePath(path: string): string {
  return path.length <= MAX_PATH_CHARACTERS ? path : `${path.slice(0, MAX_PATH_CHARACTERS)}…`;
}
