import { type DestinationStream, type Logger, pino } from 'pino';

export type { Logger };

/**
 * The one logger of a process: JSON lines on stdout. Redaction is a net under the rule that nobody passes bodies, keys,
 * tokens or signatures to a logger in the first place.
 *
 * @param service goes into every line
 * @param debug LOGGING_ENABLED
 */
export function createLogger(service: string, debug: boolean, destination?: DestinationStream): Logger {
  const options = {
    level: debug ? 'debug' : 'info',
    base: { service },
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    redact: { paths: secretPaths, censor: '[hidden]' },
    serializers: { err: safeError },
  };
  return destination === undefined ? pino(options) : pino(options, destination);
}

const secretNames = [
  'body',
  'payload',
  'signature',
  'privateKey',
  'password',
  'token',
  'authorization',
  'headers',
  'rawHeaders',
];
const secretPaths = secretNames.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]);

/**
 * What of an error goes into the log. Drivers hang statements with their values on their errors, bodies among them, so
 * only named fields are taken.
 */
export function safeError(error: unknown, depth = 0): object {
  if (!(error instanceof Error)) return { message: String(error).slice(0, MAX_TEXT) };
  const { code } = error as { code?: unknown };
  return {
    type: error.name,
    message: error.message.slice(0, MAX_TEXT),
    ...(typeof code === 'string' ? { code } : {}),
    stack: error.stack?.split('\n').slice(1, 8).join('\n'),
    ...(error.cause === undefined || depth > 2 ? {} : { cause: safeError(error.cause, depth + 1) }),
  };
}

const MAX_TEXT = 500;
