import { getRateLimitedLog, type Logger } from '@messagebox/shared';
import { type SqlClient, surveyUsage, type UsageSurvey } from '@messagebox/store';

/** A survey is used for this long at least, and for 20 times as long as it took. */
const MIN_AGE_MS = 30_000;
const AGE_PER_DURATION = 20;
/** How long a caller waits for a survey that runs. */
const MAX_WAIT_MS = 3_000;

export interface UsageSurveysOptions {
  readonly sql: SqlClient;
  readonly log: Logger;
  /** Milliseconds of a clock that only goes forward. Default `performance.now`. */
  readonly now?: () => number;
}

/** Keeps the last survey of what is stored, and takes a new one when an operator asks and the last one is old. */
export class UsageSurveys {
  #last: UsageSurvey | undefined;
  #usableUntil = Number.NEGATIVE_INFINITY;
  #running: Promise<void> | undefined;

  constructor(private readonly options: UsageSurveysOptions) {}

  /**
   * The last survey. Waits for a new one when it is due, but not for long.
   *
   * @returns undefined while the first one takes longer
   * @throws {StoreUnavailableError} when there is none and it could not be taken
   */
  async read(): Promise<UsageSurvey | undefined> {
    if (this.#now() >= this.#usableUntil) this.#running ??= this.#take();
    if (this.#running !== undefined) await this.#waitFor(this.#running);
    return this.#last;
  }

  /** What is stored has changed much: the next caller gets a new survey. */
  expire(): void {
    this.#usableUntil = Number.NEGATIVE_INFINITY;
  }

  async #take(): Promise<void> {
    const start = this.#now();
    // At once, so that an `expire` meanwhile counts.
    this.#usableUntil = Number.POSITIVE_INFINITY;
    try {
      this.#last = await surveyUsage(this.options.sql);
      const end = this.#now();
      const usableMs = Math.max(MIN_AGE_MS, (end - start) * AGE_PER_DURATION);
      if (this.#usableUntil === Number.POSITIVE_INFINITY) this.#usableUntil = end + usableMs;
    } catch (error) {
      this.expire();
      throw error;
    } finally {
      this.#running = undefined;
    }
  }

  async #waitFor(survey: Promise<void>): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, MAX_WAIT_MS);
    });
    survey.catch((error: unknown) => {
      getRateLimitedLog(this.options.log).write('info', { reason: String(error) }, 'usage was not surveyed');
    });
    try {
      await Promise.race([survey, timeout]);
    } catch (error) {
      if (this.#last === undefined) throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  #now(): number {
    return (this.options.now ?? (() => performance.now()))();
  }
}
