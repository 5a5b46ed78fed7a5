import type { MessageStore } from '../store/index.js';

/** The answer of `/health/ready`: what each part says, `ok` or why not. */
export interface HealthReport {
  readonly status: 'ready' | 'not ready';
  readonly checks: Readonly<Record<string, string>>;
}

/** Says what is wrong, or undefined. */
export type HealthCheck = () => string | undefined | Promise<string | undefined>;

/**
 * Whether a service should get traffic. A service that is alive but not ready is left running: restarting it would not
 * bring its database back.
 */
export class Health {
  readonly #checks = new Map<string, HealthCheck>();
  #draining = false;

  add(name: string, check: HealthCheck): void {
    this.#checks.set(name, check);
  }

  /** From now on not ready, whatever the checks say: the service is about to stop. */
  drain(): void {
    this.#draining = true;
  }

  get draining(): boolean {
    return this.#draining;
  }

  async report(): Promise<HealthReport> {
    const results = await Promise.all(
      [...this.#checks].map(async ([name, check]): Promise<[string, string]> => {
        try {
          return [name, (await check()) ?? 'ok'];
        } catch (error) {
          return [name, error instanceof Error ? error.message : String(error)];
        }
      }),
    );
    if (this.#draining) results.push(['process', 'is stopping']);
    const ready = results.every(([, result]) => result === 'ok');
    return { status: ready ? 'ready' : 'not ready', checks: Object.fromEntries(results) };
  }
}

/** Whether the database answers and has the schema that this code needs; names the command that migrates. */
export function databaseCheck(store: MessageStore): HealthCheck {
  let schemaSeen = false;
  return async () => {
    await store.ping();
    // A schema that was current stays current for this code: newer versions only add to it.
    schemaSeen ||= (await store.schemaStatus()).current;
    return schemaSeen ? undefined : 'the schema is older than this version needs; run: npm run migrate';
  };
}
