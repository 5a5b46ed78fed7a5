import { errorMessage } from '../logging/error-message.js';
import type { Logger } from '../logging/logger.js';

export interface RunPeriodicallyOptions {
  readonly log: Pick<Logger, 'warn'>;
  /** The name of the task in log lines. */
  readonly name: string;
}

/** Work that {@link runPeriodically} has started. */
export interface PeriodicTask {
  /** Runs the work now, unless a run is in progress. Resolves at the end of that run; never rejects. */
  runNow(): Promise<void>;
  /** Starts no more runs and waits for the one in progress. Never rejects. */
  close(): Promise<void>;
}

/**
 * Runs `work` each `intervalMs`, for the first time after one interval. Runs never overlap: an interval that ends during a
 * run is skipped. A failed run is logged, and the next one is tried as usual. The timer does not keep the process alive.
 */
export function runPeriodically(
  intervalMs: number,
  work: () => Promise<unknown>,
  { log, name }: RunPeriodicallyOptions,
): PeriodicTask {
  let running: Promise<void> | undefined;
  let isClosed = false;
  const run = async () => {
    try {
      await work();
    } catch (error) {
      log.warn({ task: name, reason: errorMessage(error) }, 'a periodic task failed');
    }
  };
  const runNow = async () => {
    if (!isClosed) {
      running ??= run().finally(() => {
        running = undefined;
      });
    }
    await running;
  };
  const timer = setInterval(() => void runNow(), intervalMs);
  timer.unref();
  return {
    runNow,
    close: async () => {
      isClosed = true;
      clearInterval(timer);
      await running;
    },
  };
}
