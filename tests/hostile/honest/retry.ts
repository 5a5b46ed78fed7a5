import { now } from './sample.ts';

const RETRY_DELAY_MS = 100;

/** How something went that was tried until it succeeded. */
export interface Outcome {
  /** When it succeeded, or was given up; milliseconds since the epoch. */
  readonly endedAt: number;
  readonly succeeded: boolean;
  readonly refusals: number;
  readonly reason: string | undefined;
}

/** Tries again and again, as a client does that was told to come back later; until `givesUp` answers true. */
export async function retry(givesUp: () => boolean, attempt: () => Promise<void>): Promise<Outcome> {
  let refusals = 0;
  let reason: string | undefined;
  for (;;) {
    try {
      await attempt();
      return { endedAt: now(), succeeded: true, refusals, reason };
    } catch (error) {
      refusals += 1;
      reason = error instanceof Error ? error.message : String(error);
      if (givesUp()) return { endedAt: now(), succeeded: false, refusals, reason };
      await new Promise((resolve) => setTimeout(resolve, RETRY_DELAY_MS));
    }
  }
}

/** @throws {Error} when it takes longer than `ms` */
export async function withAttemptTimeout<T>(ms: number, work: Promise<T>, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} did not come within ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
