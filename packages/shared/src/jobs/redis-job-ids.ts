import { isJobId } from './check-job.js';

/** Our ids get a letter in front: BullMQ has keys of its own beside those of the jobs, and takes no numbers for ids. */
const OURS = 'j.';
/** BullMQ's ids of repeated jobs. */
const REPEATED = /^repeat:[\w.-]{1,64}:\d{1,16}$/;

/** BullMQ's id for a job of ours. */
export function innerId(id: string): string {
  return OURS + id;
}

/** BullMQ's id for what somebody says is the id of a job; undefined for what can't be one. */
export function innerIdOf(id: string): string | undefined {
  if (REPEATED.test(id)) return id;
  return isJobId(id) ? innerId(id) : undefined;
}

/** The way back. */
export function outerId(id: string): string {
  return id.startsWith(OURS) ? id.slice(OURS.length) : id;
}
