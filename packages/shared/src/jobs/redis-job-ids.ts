import { isJobId } from './check-job.js';

/** Prefix of our ids, because BullMQ has other keys beside those of jobs, and accepts no numbers as ids. */
const ID_PREFIX = 'j.';
/** The form of BullMQ's ids for repeated jobs. */
const REPEATED_ID_PATTERN = /^repeat:[\w.-]{1,64}:\d{1,16}$/;

/** BullMQ's id for an id of ours. */
export function toBullId(id: string): string {
  return ID_PREFIX + id;
}

/** BullMQ's id for an id from outside. Undefined when it is not a valid id. */
export function parseBullId(id: string): string | undefined {
  if (REPEATED_ID_PATTERN.test(id)) return id;
  return isJobId(id) ? toBullId(id) : undefined;
}

/** Inverse of {@link toBullId}. */
export function fromBullId(id: string): string {
  return id.startsWith(ID_PREFIX) ? id.slice(ID_PREFIX.length) : id;
}
