/** The part of a job queue that is needed to ask for the state of a job. */
interface Jobs<T extends { readonly state: string }> {
  find(id: string): Promise<T | undefined>;
}

const STATE_TIMEOUT_MS = 20_000;

/**
 * Asks for a job again and again until it has a state.
 *
 * @throws {Error} after 20 s
 */
export async function waitUntilState<T extends { readonly state: string }>(
  queue: Jobs<T>,
  id: string,
  state: T['state'],
): Promise<T> {
  const deadline = Date.now() + STATE_TIMEOUT_MS;
  for (;;) {
    const job = await queue.find(id);
    if (job?.state === state) return job;
    if (Date.now() > deadline) throw new Error(`the job is not ${state} but ${job?.state}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}
