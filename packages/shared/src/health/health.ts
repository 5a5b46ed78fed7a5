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
  readonly #checks = new Map<string, { check: HealthCheck; needed: boolean }>();
  #draining = false;

  /** @param needed false: what is wrong there is reported, and the service stays ready, since it works without */
  add(name: string, check: HealthCheck, needed = true): void {
    this.#checks.set(name, { check, needed });
  }

  /** From now on not ready, whatever the checks say: the service is about to stop. */
  drain(): void {
    this.#draining = true;
  }

  get draining(): boolean {
    return this.#draining;
  }

  async report(): Promise<HealthReport> {
    let ready = !this.#draining;
    const results = await Promise.all(
      [...this.#checks].map(async ([name, { check, needed }]): Promise<[string, string]> => {
        const problem = await problemOf(check);
        if (problem !== undefined && needed) ready = false;
        return [name, problem ?? 'ok'];
      }),
    );
    if (this.#draining) results.push(['process', 'is stopping']);
    return { status: ready ? 'ready' : 'not ready', checks: Object.fromEntries(results) };
  }
}

async function problemOf(check: HealthCheck): Promise<string | undefined> {
  try {
    return await check();
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
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
