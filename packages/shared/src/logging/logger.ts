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
