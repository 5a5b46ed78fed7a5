import { LONGEST_DELAY_MS } from './job-policy.js';
import type { NewJob } from './job-queue.js';

const LARGEST_DATA = 1_000_000;
const NAME = /^[\w.-]{1,64}$/;
const ID = /^[\w.-]{1,128}$/;

/** Whether a caller may have chosen this id. */
export const isJobId = (id: string): boolean => ID.test(id);

/** @throws {RangeError} */
export function checkName(name: string): void {
  if (!NAME.test(name)) throw new RangeError('a job’s name must be 1 to 64 letters, digits, _ - or .');
}

/** @throws {RangeError} */
export function checkDelay(ms: number, least: 0 | 1): void {
  if (!Number.isInteger(ms) || ms < least || ms > LONGEST_DELAY_MS) {
    throw new RangeError(`a job’s time must be whole milliseconds from ${least} to ${LONGEST_DELAY_MS}`);
  }
}

/**
 * @returns the job's data as JSON text
 * @throws {RangeError} for what no job can be
 */
export function checkJob({ name, data, options = {} }: NewJob): string {
  checkName(name);
  if (options.id !== undefined && !isJobId(options.id)) {
    throw new RangeError('a job’s id must be 1 to 128 letters, digits, _ - or .');
  }
  checkDelay(options.delayMs ?? 0, 0);
  const text = jsonOf(data);
  if (text === undefined || text.length > LARGEST_DATA) {
    throw new RangeError(`a job’s data must be JSON of up to ${LARGEST_DATA} characters`);
  }
  return text;
}

/** JSON text; undefined for what has none. */
export function jsonOf(value: unknown): string | undefined {
  try {
    return JSON.stringify(value);
  } catch {
    return undefined; // a cycle, or a bigint
  }
}
