import { type Check, fail, ok } from '../check.js';

const MIN_VERSION = [20, 19] as const;

/** Whether this Node is new enough. */
export const nodeVersion: Check = {
  name: 'Node',
  run: () => judgeNodeVersion(process.versions.node),
};

/** Judges a version such as `20.19.0`. */
export function judgeNodeVersion(version: string) {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [minMajor, minMinor] = MIN_VERSION;
  if (major > minMajor || (major === minMajor && minor >= minMinor)) return ok(version);
  return fail(version, `Install Node ${MIN_VERSION.join('.')} or newer: https://nodejs.org`);
}
