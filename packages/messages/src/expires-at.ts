import { isGiven } from './request-fields.js';
import { RuleError } from './rule-error.js';

/** ISO 8601 with a zone: `2027-01-31T12:00:00Z`, `2027-01-31T13:00:00.5+01:00`. Seconds may be left out. */
const ISO_TIME =
  /^(\d{4}-\d{2}-(\d{2}))T([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,9})?)?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$/;

/**
 * Reads the `expiresAt` of a send.
 *
 * @param given undefined or null: the message does not expire
 * @returns the time in whole seconds, rounded up, because the reference server's column has no fractions
 * @throws {RuleError} `ERR_INVALID_EXPIRES_AT` unless it is a time after `now` and at most a year later
 */
export function parseExpiresAt(given: unknown, now: Date): Date | undefined {
  if (!isGiven(given)) return undefined;
  const time = parseIsoTime(given);
  if (time === undefined) {
    const description = 'expiresAt must be a time in ISO 8601 with a zone, such as 2027-01-31T12:00:00Z.';
    throw new RuleError('ERR_INVALID_EXPIRES_AT', description);
  }
  if (time <= now.getTime()) throw new RuleError('ERR_INVALID_EXPIRES_AT', 'expiresAt must be in the future.');
  if (time > addYear(now)) throw new RuleError('ERR_INVALID_EXPIRES_AT', 'expiresAt may be at most a year ahead.');
  return new Date(Math.ceil(time / 1_000) * 1_000);
}

/** @returns milliseconds since 1970 */
function parseIsoTime(given: unknown): number | undefined {
  const match = typeof given === 'string' ? ISO_TIME.exec(given) : null;
  if (match === null) return undefined;
  const [text, date, day] = match;
  // Date turns the 30th of February into a day in March.
  const midnight = new Date(`${date}T00:00:00Z`);
  if (Number.isNaN(midnight.getTime()) || midnight.getUTCDate() !== Number(day)) return undefined;
  const time = Date.parse(text);
  return Number.isNaN(time) ? undefined : time;
}

/** The same time of the day a year later. */
function addYear(now: Date): number {
  const later = new Date(now);
  later.setUTCFullYear(now.getUTCFullYear() + 1);
  return later.getTime();
}
