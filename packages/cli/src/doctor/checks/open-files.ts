import { readFile } from 'node:fs/promises';
import { type Check, type CheckResult, fail, notApplicable, ok, warn } from '../check.js';

/** A process needs some hundreds for itself: connections to database and Redis, files. */
const MIN_FILES = 1_024;
/** Each socket of a client is an open file. */
const ENOUGH_FILES = 4_096;

/** Whether a process may have enough open files for its clients. */
export const openFiles: Check = {
  name: 'open files',
  run: async () => {
    const text = await readFile('/proc/self/limits', 'utf8').catch(() => undefined);
    return text === undefined ? notApplicable('this system does not say') : judgeOpenFiles(text);
  },
};

/** Judges the text of `/proc/self/limits`. Node raises its own limit to the hard one. */
export function judgeOpenFiles(text: string): CheckResult {
  const hard = /^Max open files\s+\S+\s+(\S+)/m.exec(text)?.[1];
  if (hard === undefined) return notApplicable('this system does not say');
  const limit = hard === 'unlimited' ? Number.POSITIVE_INFINITY : Number(hard);
  const advice =
    'Raise the limit (ulimit -Hn, LimitNOFILE of systemd, ulimits of compose) to 65536: each client needs an open file.';
  if (limit < MIN_FILES) return fail(`at most ${hard}`, advice);
  return limit < ENOUGH_FILES ? warn(`at most ${hard}`, advice) : ok(`at most ${hard}`);
}
