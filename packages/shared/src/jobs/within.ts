import { TimeoutError, within } from '../limits/within.js';

/** How long closing a worker waits for its running jobs, unless told otherwise. */
export const CLOSE_MS = 10_000;

/**
 * Waits for `work`, but no longer than `ms`.
 *
 * @returns whether it ended in time; rejects with what it rejected with in that time, later errors are dropped
 */
export async function withinMs(work: Promise<unknown>, ms: number): Promise<boolean> {
  try {
    await within(ms, work);
    return true;
  } catch (error) {
    if (error instanceof TimeoutError) return false;
    throw error;
  }
}
