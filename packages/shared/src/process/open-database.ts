import { type Config, ConfigError } from '../config/index.js';
import { databaseCheck, type Health } from '../health/health.js';
import type { Logger } from '../logging/logger.js';
import { type MessageStore, openStore } from '../store/index.js';
import type { Closing } from './closing.js';

/**
 * Opens the configured database for a service that runs beside others.
 *
 * @throws {ConfigError} when none is configured, or one that can't be shared
 */
export function openDatabase(config: Config, log: Logger, health: Health, closing: Closing): MessageStore {
  if (config.store === undefined) {
    throw new ConfigError([
      'KNEX_DB_CONNECTION is missing: set it to {"host", "port", "user", "password", "database"} of a MySQL or MariaDB server',
    ]);
  }
  const store = openStore(config.store, log);
  closing.add('database', () => store.close());
  health.add('database', databaseCheck(store));
  return store;
}

/** @throws {ConfigError} when REDIS_URL is missing: without it, services in several processes would not hear of each other */
export function requireRedis(config: Config): void {
  if (config.redis === undefined) {
    throw new ConfigError([
      'REDIS_URL is missing: services in several processes need it, for example redis://127.0.0.1:6379',
    ]);
  }
}
