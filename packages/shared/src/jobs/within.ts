/** How long closing a worker waits for its running jobs, unless told otherwise. */
export const CLOSE_MS = 10_000;

/**
 * Waits for `work`, but no longer than `ms`.
 *
 * @returns whether it ended in time; rejects with what it rejected with in that time, later errors are dropped
 */
export async function withinMs(work: Promise<unknown>, ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), ms);
  });
  try {
    return await Promise.race([work.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}
