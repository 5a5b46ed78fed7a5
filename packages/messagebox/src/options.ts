/** Options of `startMessageBox`. All have defaults. An option takes precedence over the variable of `env` that it names. */
export interface MessageBoxOptions {
  /** The port to listen on (PORT), 0 to 65535. Default: any free port. */
  readonly port?: number | undefined;
  /** The address to listen on (HOST). Default: 127.0.0.1, which only this machine reaches. */
  readonly host?: string | undefined;
  /**
   * A folder for the database and the server's private key (DATA_DIR), which is created when it is missing. Default: all is
   * kept in memory, and gone after `close()`.
   */
  readonly dataDir?: string | undefined;
  /**
   * The private key of the server's identity (SERVER_PRIVATE_KEY): 64 hex characters. Default: the key in `dataDir`, or a new
   * key.
   */
  readonly serverPrivateKey?: string | undefined;
  /** The identities that may use the operator routes (ADMIN_IDENTITY_KEYS): 66 hex characters each. Default: none. */
  readonly adminIdentityKeys?: readonly string[] | undefined;
  /** Which log lines go to stderr, as JSON: those of this level and above. Default: `silent`. */
  readonly logLevel?: MessageBoxLogLevel | undefined;
  /**
   * Other settings, by the names of the environment variables that the documentation lists. The environment of the process
   * and `.env` are not read; pass `process.env` if you want that.
   */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
}

/** From nothing to everything. */
export type MessageBoxLogLevel = 'silent' | 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace';

const LOG_LEVELS: readonly string[] = [
  'silent',
  'fatal',
  'error',
  'warn',
  'info',
  'debug',
  'trace',
] satisfies MessageBoxLogLevel[];

const OPTION_NAMES: readonly string[] = [
  'port',
  'host',
  'dataDir',
  'serverPrivateKey',
  'adminIdentityKeys',
  'logLevel',
  'env',
] satisfies (keyof MessageBoxOptions)[];

/**
 * Checks what the types promise, for callers in JavaScript: a misspelt option would be ignored without a word. The values
 * are checked with the configuration.
 *
 * @throws {TypeError} that names the option
 */
export function checkOptions(options: MessageBoxOptions): void {
  for (const name of Object.keys(options)) {
    if (!OPTION_NAMES.includes(name)) {
      throw new TypeError(
        `startMessageBox has no option ${JSON.stringify(name)}. Its options: ${OPTION_NAMES.join(', ')}.`,
      );
    }
  }
  if (options.logLevel !== undefined && !LOG_LEVELS.includes(options.logLevel)) {
    throw new TypeError(`logLevel must be one of ${LOG_LEVELS.join(', ')}.`);
  }
}

/** @returns the options as environment variables */
export function toEnvironment(options: MessageBoxOptions): Record<string, string | undefined> {
  const { env, port, host, dataDir, serverPrivateKey, adminIdentityKeys } = options;
  const named = {
    PORT: port === undefined ? undefined : String(port),
    HOST: host,
    DATA_DIR: dataDir,
    SERVER_PRIVATE_KEY: serverPrivateKey,
    ADMIN_IDENTITY_KEYS: adminIdentityKeys?.join(','),
  };
  const defaults = { PORT: '0', HOST: '127.0.0.1' };
  return { ...defaults, ...withoutUndefined(env ?? {}), ...withoutUndefined(named) };
}

function withoutUndefined(values: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(values).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}
