import type { Config } from '@messagebox/shared';
import type { MysqlFacts } from '@messagebox/store';
import { NotApplicableError } from './errors.js';
import type { OriginProbes } from './origin/origin-probes.js';
import type { RedisFacts } from './probes/probe-redis.js';

/** What doctor was asked to do. */
export interface DoctorOptions {
  /** The environment as a server reads it, with `.env`; or why it can't be read. */
  readonly env: Readonly<Record<string, string | undefined>> | Error;
  /** Time limit of each step, in milliseconds. */
  readonly limitMs: number;
  /** The public URL to check. Default: HOSTING_DOMAIN. */
  readonly origin?: URL | undefined;
}

/**
 * What checks share: the configuration, and probes that run once, however many checks wait for them. All getters throw
 * {@link NotApplicableError} where there is nothing to look at.
 */
export interface DoctorContext {
  readonly limitMs: number;
  /** The configuration, or the error about it. */
  readonly configuration: { readonly config: Config } | { readonly error: Error };
  readonly config: Config;
  /** The server's identity by SERVER_PRIVATE_KEY or by the key file of standalone. Undefined: not made yet. */
  readonly serverIdentity: Promise<string | undefined>;
  readonly database: Promise<MysqlFacts>;
  readonly redis: Promise<RedisFacts>;
  /** The server as clients see it. */
  readonly origin: OriginProbes;
}

/** The result of a shared probe for a check that does not report its faults. */
export async function resultOf<T>(probe: Promise<T>, what: string): Promise<T> {
  try {
    return await probe;
  } catch (error) {
    throw error instanceof NotApplicableError ? error : new NotApplicableError(`${what} can't be used`);
  }
}
