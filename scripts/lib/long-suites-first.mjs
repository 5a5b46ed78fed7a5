import { createRequire } from 'node:module';

/** Its declarations are those of CommonJS, and do not fit its ES module. */
const { default: TestSequencer } = createRequire(import.meta.url)('@jest/test-sequencer');

/** Folders whose suites take longest, although their files are short: they start servers, and share suites. */
const LONG = [
  'tests/acceptance/',
  'tests/push/',
  'tests/overlay/',
  'tests/payments/',
  'tests/browser/',
  'tests/hostile/',
];

/**
 * Starts suites that are known to be long before others, so that no worker waits for the last one. Jest by itself goes by the
 * size of the files until it has recorded their times, which a clean checkout has not.
 */
export default class LongSuitesFirst extends TestSequencer {
  sort(tests) {
    const sorted = super.sort(tests);
    if (sorted.some(({ duration }) => duration !== undefined)) return sorted;
    const isLong = ({ path }) => LONG.some((folder) => path.includes(`/${folder}`));
    return [...sorted.filter(isLong), ...sorted.filter((test) => !isLong(test))];
  }
}
