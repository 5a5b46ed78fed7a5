import pTimeout, { TimeoutError } from 'p-timeout';

/** How long closing a worker waits for its running jobs by default. */
export const DEFAULT_CLOSE_TIMEOUT_MS = 10_000;

/**
 * Waits for `work`, at most `ms`.
 *
 * @returns whether the work ended in time
 * @throws the error of the work, when it fails in time; later errors are dropped
 */
export async function endsWithin(work: Promise<unknown>, ms: number): Promise<boolean> {
  try {
    await pTimeout(work, { milliseconds: ms });
    return true;
  } catch (error) {
    if (error instanceof TimeoutError) return false;
    throw error;
  }
}
