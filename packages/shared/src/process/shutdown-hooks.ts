import pTimeout from 'p-timeout';
import type { Logger } from 'pino';
import { errorMessage } from '../logging/error-message.js';

const MIN_STEP_TIMEOUT_MS = 250;

type Hook = { readonly name: string; readonly run: () => unknown };

/**
 * The steps by which a service shuts down. They run in the reverse order of their registration, within one deadline. A step
 * runs even when an earlier one failed or hung.
 */
export class ShutdownHooks {
  readonly #hooks: Hook[] = [];
  #closed: Promise<void> | undefined;

  constructor(
    private readonly log: Logger,
    private readonly graceMs: number,
  ) {}

  /** Registers a step. @param name the step in log lines */
  add(name: string, run: () => unknown): void {
    this.#hooks.push({ name, run });
  }

  /** Runs all steps once; later calls wait for the same run. Never throws. */
  close(): Promise<void> {
    this.#closed ??= this.#run();
    return this.#closed;
  }

  async #run(): Promise<void> {
    const deadline = Date.now() + this.graceMs;
    for (const { name, run } of this.#hooks.reverse()) {
      // A step that hangs uses up the grace period, and each later step still gets a moment.
      const timeoutMs = Math.max(deadline - Date.now(), MIN_STEP_TIMEOUT_MS);
      try {
        await pTimeout(Promise.resolve().then(run), { milliseconds: timeoutMs });
      } catch (error) {
        this.log.error({ step: name, reason: errorMessage(error) }, 'could not close cleanly');
      }
    }
  }
}
