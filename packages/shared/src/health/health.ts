import type { MessageStore } from '@messagebox/store';
import { errorMessage } from '../logging/error-message.js';

/** The response of `/health/ready`. Each check is `ok` or the problem. */
export interface HealthReport {
  readonly status: 'ready' | 'not ready';
  readonly checks: Readonly<Record<string, string>>;
}

/** Returns the problem, or undefined. A check that throws has the error's message as its problem. */
export type HealthCheck = () => string | undefined | Promise<string | undefined>;

/**
 * Whether a service should receive traffic. A service that is alive but not ready is not restarted, because a restart would
 * not bring its database back.
 */
export class Health {
  readonly #checks = new Map<string, { check: HealthCheck; needed: boolean }>();
  #draining = false;

  /** @param needed false when the service works without this part: a problem is reported and the service stays ready */
  add(name: string, check: HealthCheck, needed = true): void {
    this.#checks.set(name, { check, needed });
  }

  /** Makes the service unready, whatever its checks return, because it is about to stop. */
  drain(): void {
    this.#draining = true;
  }

  get isDraining(): boolean {
    return this.#draining;
  }

  async report(): Promise<HealthReport> {
    let ready = !this.#draining;
    const results = await Promise.all(
      [...this.#checks].map(async ([name, { check, needed }]): Promise<[string, string]> => {
        const problem = await runCheck(check);
        if (problem !== undefined && needed) ready = false;
        return [name, problem ?? 'ok'];
      }),
    );
    if (this.#draining) results.push(['process', 'is stopping']);
    return { status: ready ? 'ready' : 'not ready', checks: Object.fromEntries(results) };
  }
}

async function runCheck(check: HealthCheck): Promise<string | undefined> {
  try {
    return await check();
  } catch (error) {
    return errorMessage(error);
  }
}

/** Checks that the database answers and has the schema that this version needs. */
export function createDatabaseCheck(store: MessageStore): HealthCheck {
  let schemaSeen = false;
  return async () => {
    await store.ping();
    // A schema that was new enough stays so, because newer versions only add to it.
    schemaSeen ||= (await store.getSchemaStatus()).current;
    return schemaSeen ? undefined : 'the schema is older than this version needs; run: npm run migrate';
  };
}
