/** Something did not end in time. */
export class TimeLimitError extends Error {
  override readonly name = 'TimeLimitError';

  constructor(readonly limitMs: number) {
    super(`no answer within ${limitMs / 1000} s`);
  }
}

/**
 * Runs `work` under a time limit.
 *
 * @param work gets a signal that is aborted at the limit
 * @throws {TimeLimitError} at the limit, whether or not `work` has noticed
 */
export async function withTimeLimit<T>(limitMs: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(new TimeLimitError(limitMs));
      controller.abort();
    }, limitMs);
  });
  try {
    const running = work(controller.signal);
    // When the limit comes first, a later failure has no reader.
    running.catch(() => undefined);
    return await Promise.race([running, limit]);
  } finally {
    clearTimeout(timer);
  }
}
