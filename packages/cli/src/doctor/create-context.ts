import { type Config, ConfigError, parseHostingUrl, readConfig } from '@messagebox/shared';
import type { DoctorContext, DoctorOptions } from './context.js';
import { NotApplicableError } from './errors.js';
import { OriginProbes } from './origin/origin-probes.js';
import { probeDatabase } from './probes/probe-database.js';
import { probeRedis } from './probes/probe-redis.js';
import { readServerIdentity } from './probes/server-identity.js';

/** Reads the configuration. Probes start when the first check asks for them. */
export function createDoctorContext(options: DoctorOptions): DoctorContext {
  const { env, limitMs } = options;
  const configuration = tryConfig(env);
  const probes = new Map<string, unknown>();
  const once = <T>(name: string, create: () => T): T => {
    if (!probes.has(name)) probes.set(name, create());
    return probes.get(name) as T;
  };
  const getConfig = (): Config => {
    if ('config' in configuration) return configuration.config;
    throw new NotApplicableError('the configuration can not be read');
  };
  return {
    limitMs,
    configuration,
    get config() {
      return getConfig();
    },
    get serverIdentity() {
      return once('identity', () => readServerIdentity(getConfig()));
    },
    get database() {
      return once('database', () => probeDatabase(getConfig(), limitMs));
    },
    get redis() {
      return once('redis', () => probeRedis(getConfig(), limitMs));
    },
    get origin() {
      return once('origin', () => {
        const url = options.origin ?? parseHostingUrl(getConfig().hostingDomain);
        if (url === undefined)
          throw new NotApplicableError('no public origin: HOSTING_DOMAIN and --origin are not set');
        const ownPath = url.pathname.replace(/\/+$/, '');
        const prefix = ownPath !== '' ? ownPath : 'config' in configuration ? configuration.config.routingPrefix : '';
        return new OriginProbes(url.origin, prefix, limitMs);
      });
    },
  };
}

function tryConfig(env: DoctorOptions['env']): DoctorContext['configuration'] {
  if (env instanceof Error) return { error: env };
  try {
    return { config: readConfig(env) };
  } catch (error) {
    if (error instanceof ConfigError) return { error };
    throw error;
  }
}
