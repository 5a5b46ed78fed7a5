import path from 'node:path';
import { type Config, ConfigError, type Environment, readConfig, withEnvFile } from '../config/index.js';
import { createLogger, type Logger } from '../logging/logger.js';

/** What a service gives back once it listens. */
export interface RunningService {
  readonly url: string;
  /** Ends it in order, within the grace; never throws. */
  close(): Promise<void>;
}

/**
 * The life of a service's process: read config, start, and on SIGTERM or SIGINT close in order and exit with 0.
 * Ends with 1 and one line on stderr when the configuration is wrong or the start fails.
 */
export async function runService(
  name: string,
  start: (config: Config, log: Logger, env: Environment) => Promise<RunningService>,
  env: Environment = process.env,
): Promise<void> {
  let config: Config;
  try {
    env = withEnvFile(env, path.resolve('.env'));
    config = readConfig(env);
  } catch (error) {
    failStart(error);
  }
  const log = createLogger(name, config.debug);
  let ending = false;
  const service = await start(config, log, env).catch(failStart);
  const end = (signal: NodeJS.Signals) => {
    if (ending) return;
    ending = true;
    log.info({ signal }, 'closing');
    void service.close().then(() => {
      log.info('closed');
      process.exit(0);
    });
  };
  process.once('SIGTERM', end);
  process.once('SIGINT', end);
}

function failStart(error: unknown): never {
  const text = error instanceof Error ? error.message : String(error);
  process.stderr.write(`${error instanceof ConfigError ? text : `Could not start: ${text}`}\n`);
  process.exit(1);
}
