import { type DestinationStream, type Logger, pino } from 'pino';
import { getTraceFields } from '../tracing/current-span.js';
import type { LogLevel } from './log-level.js';

export type { Logger };

/**
 * The logger of a process, which writes JSON lines to stdout. No code may pass bodies, keys, tokens or signatures to a
 * logger; the redaction is a second line of defence.
 *
 * A line that belongs to a trace says so in `trace_id` and `span_id`.
 *
 * @param service the field `service` of every line
 * @param level lines below this level are left out
 */
export function createLogger(service: string, level: LogLevel, destination?: DestinationStream): Logger {
  const options = {
    level,
    mixin: getTraceFields,
    base: { service },
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    redact: { paths: SECRET_PATHS, censor: '[hidden]' },
    serializers: { err: safeError },
  };
  return destination === undefined ? pino(options) : pino(options, destination);
}

const SECRET_NAMES = [
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
const SECRET_PATHS = SECRET_NAMES.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]);

/**
 * The part of an error that may be logged. Database drivers attach statements with their values, including message bodies,
 * to their errors, so only known fields are copied.
 */
function safeError(error: unknown, depth = 0): object {
  if (!(error instanceof Error)) return { message: String(error).slice(0, MAX_MESSAGE_CHARACTERS) };
  const { code } = error as { code?: unknown };
  return {
    type: error.name,
    message: error.message.slice(0, MAX_MESSAGE_CHARACTERS),
    ...(typeof code === 'string' ? { code } : {}),
    stack: error.stack?.split('\n').slice(1, 8).join('\n'),
    ...(error.cause === undefined || depth > 2 ? {} : { cause: safeError(error.cause, depth + 1) }),
  };
}

const MAX_MESSAGE_CHARACTERS = 500;
