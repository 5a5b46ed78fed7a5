import { randomBytes } from 'node:crypto';
import { type Config, createLogger, type Logger, type RunningService, readConfig } from '@messagebox/shared';
import {
  ensureServerKey,
  ensureVapidKeys,
  openDataDir,
  refuseNewKeyInProduction,
  startStandalone,
} from '@messagebox/standalone';
import { checkOptions, type MessageBoxLogLevel, type MessageBoxOptions, toEnvironment } from './options.js';

/** A running server. */
export interface MessageBoxServer {
  /** Where clients reach it, such as `http://127.0.0.1:40123`. */
  readonly url: string;
  /** Its public key, compressed: 66 hex characters. */
  readonly identityKey: string;
  /**
   * Finishes the requests that run, closes all connections, and frees everything that was opened. Never throws; later calls
   * wait for the first.
   */
  close(): Promise<void>;
}

/**
 * Starts a MessageBox server in this process, for example for the tests of an app. Without options it takes any free port of
 * this machine, keeps everything in memory, uses the development blockchain, and prints nothing. Several servers can run in
 * one process; they share nothing. No signal handlers are installed, and the process is never ended.
 *
 * @throws {TypeError} for an unknown option, {Error} for a value that is wrong (its message names the variable) and when the
 *   port is in use; nothing stays open then
 */
export async function startMessageBox(options: MessageBoxOptions = {}): Promise<MessageBoxServer> {
  checkOptions(options);
  const env = toEnvironment(options);
  const config = readConfig(env);
  const log = createEmbeddedLog(options.logLevel ?? 'silent');
  const service = await (env['DATA_DIR'] ? startInFolder(config, log) : startInMemory(config, log));
  return { url: service.url, identityKey: service.identityKey, close: () => service.close() };
}

async function startInFolder(given: Config, log: Logger): Promise<RunningService> {
  const { config: withKey } = await ensureServerKey(given);
  const config = await ensureVapidKeys(withKey);
  return startStandalone(config, log, { embedded: await openDataDir(config.dataDir), sharesProcess: true });
}

async function startInMemory(config: Config, log: Logger): Promise<RunningService> {
  if (config.serverPrivateKey === undefined) refuseNewKeyInProduction(config);
  const serverPrivateKey = config.serverPrivateKey ?? new Uint8Array(randomBytes(32));
  const embedded = { client: 'better-sqlite3', filename: ':memory:' } as const;
  return startStandalone({ ...config, serverPrivateKey }, log, { embedded, sharesProcess: true });
}

/** A log on stderr: stdout belongs to the program that embeds the server. */
function createEmbeddedLog(level: MessageBoxLogLevel): Logger {
  return createLogger('messagebox', level, { write: (line) => void process.stderr.write(line) });
}
