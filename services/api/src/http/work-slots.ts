import { OverloadedError, TooManyRequestsError } from '@messagebox/shared';

const RETRY_AFTER_SECONDS = 1;

/** Limits work that takes long: how much of it runs at once, and one piece for each identity. */
export class WorkSlots {
  readonly #running = new Set<string>();

  /** @param limit the limit's name in metrics */
  constructor(
    private readonly maxRunning: number,
    private readonly limit: string,
  ) {}

  /**
   * @throws {TooManyRequestsError} while the identity has work running, {OverloadedError} while too much runs; and what
   *   `work` throws
   */
  async run<T>(identityKey: string, work: () => Promise<T>): Promise<T> {
    if (this.#running.has(identityKey)) throw new TooManyRequestsError(RETRY_AFTER_SECONDS);
    if (this.#running.size >= this.maxRunning) {
      throw new OverloadedError('The server is busy with the accounts of others. Try again later.', this.limit);
    }
    this.#running.add(identityKey);
    try {
      return await work();
    } finally {
      this.#running.delete(identityKey);
    }
  }
}
