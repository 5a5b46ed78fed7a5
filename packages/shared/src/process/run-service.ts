import path from 'node:path';
import { ConfigError } from '../config/config-error.js';
import { mergeEnvFile } from '../config/env-file.js';
import { type Config, type Environment, readConfig } from '../config/read-config.js';
import { errorMessage } from '../logging/error-message.js';
import { createLogger, type Logger } from '../logging/logger.js';

/** A service that listens. */
export interface RunningService {
  readonly url: string;
  /** The server's public key: 66 hex characters. */
  readonly identityKey: string;
  /** The implementations in use, such as the database. */
  readonly facts: Readonly<Record<string, string>>;
  /** Stops the service cleanly within the grace period. Never throws. */
  close(): Promise<void>;
}

/**
 * Runs a service as a process: reads the configuration (the environment and `.env`), starts the service, and on SIGTERM or
 * SIGINT closes it and exits with 0. Exits with 1 and a message on stderr when the configuration is invalid or the start
 * fails.
 */
export async function runService(
  name: string,
  start: (config: Config, log: Logger, env: Environment) => Promise<RunningService>,
  env: Environment = process.env,
): Promise<void> {
  let config: Config;
  try {
    env = mergeEnvFile(env, path.resolve('.env'));
    config = readConfig(env);
  } catch (error) {
    failStart(error);
  }
  const log = createLogger(name, config.logLevel);
  let isShuttingDown = false;
  const service = await start(config, log, env).catch(failStart);
  const shutDown = (signal: NodeJS.Signals) => {
    if (isShuttingDown) return;
    isShuttingDown = true;
    log.info({ signal }, 'closing');
    void service.close().then(() => {
      log.info('closed');
      process.exit(0);
    });
  };
  process.once('SIGTERM', shutDown);
  process.once('SIGINT', shutDown);
}

function failStart(error: unknown): never {
  const text = errorMessage(error);
  process.stderr.write(`${error instanceof ConfigError ? text : `Could not start: ${text}`}\n`);
  process.exit(1);
}
