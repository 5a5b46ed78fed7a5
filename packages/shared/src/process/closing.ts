import type { Logger } from 'pino';
import { within } from '../limits/within.js';

type Step = { readonly name: string; readonly run: () => unknown };

/**
 * What a service must undo when it ends. Steps run in the reverse order of their registration, each even when an
 * earlier one failed or hung, all of them under one deadline.
 */
export class Closing {
  readonly #steps: Step[] = [];
  #closed: Promise<void> | undefined;

  constructor(
    private readonly log: Logger,
    private readonly graceMs: number,
  ) {}

  /** Registers how to undo what was just done. */
  add(name: string, run: () => unknown): void {
    this.#steps.push({ name, run });
  }

  /** Runs all steps once; later calls wait for the same run. Never throws. */
  close(): Promise<void> {
    this.#closed ??= this.#run();
    return this.#closed;
  }

  async #run(): Promise<void> {
    const deadline = Date.now() + this.graceMs;
    for (const { name, run } of this.#steps.reverse()) {
      // A step that hangs gets what is left of the grace, and later steps at least a moment each.
      const patience = Math.max(deadline - Date.now(), 250);
      try {
        await within(patience, Promise.resolve().then(run));
      } catch (error) {
        this.log.error(
          { step: name, reason: error instanceof Error ? error.message : String(error) },
          'could not close in order',
        );
      }
    }
  }
}
