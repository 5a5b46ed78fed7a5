import { MAX_DELAY_MS } from './job-policy.js';
import type { NewJob } from './job-queue.js';

const MAX_DATA_CHARACTERS = 1_000_000;
const NAME_PATTERN = /^[\w.-]{1,64}$/;
const ID_PATTERN = /^[\w.-]{1,128}$/;

/** Whether this is a valid id for a caller to choose. */
export const isJobId = (id: string): boolean => ID_PATTERN.test(id);

/** @throws {RangeError} */
export function checkJobName(name: string): void {
  if (!NAME_PATTERN.test(name)) throw new RangeError('a job’s name must be 1 to 64 letters, digits, _ - or .');
}

/** @throws {RangeError} */
export function checkJobDelay(ms: number, min: 0 | 1): void {
  if (!Number.isInteger(ms) || ms < min || ms > MAX_DELAY_MS) {
    throw new RangeError(`a job’s delay or period must be whole milliseconds from ${min} to ${MAX_DELAY_MS}`);
  }
}

/**
 * @returns the job's data as JSON text
 * @throws {RangeError} when the name, id, delay or data is invalid
 */
export function checkJob({ name, data, options = {} }: NewJob): string {
  checkJobName(name);
  if (options.id !== undefined && !isJobId(options.id)) {
    throw new RangeError('a job’s id must be 1 to 128 letters, digits, _ - or .');
  }
  checkJobDelay(options.delayMs ?? 0, 0);
  const text = toJsonText(data);
  if (text === undefined || text.length > MAX_DATA_CHARACTERS) {
    throw new RangeError(`a job’s data must be JSON of up to ${MAX_DATA_CHARACTERS} characters`);
  }
  return text;
}

/** The value as JSON text. Undefined when it has none. */
export function toJsonText(value: unknown): string | undefined {
  try {
    return JSON.stringify(value);
  } catch {
    return undefined; // a cycle, or a bigint
  }
}
