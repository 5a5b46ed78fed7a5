// Prints the paths of the suites that failed, one a line. Exits with 1 when there are too many to be a matter of chance,
// or when a run ended without a result.
//
// node .ci/failed-suites.mjs RESULT.json…
import { existsSync, readFileSync } from 'node:fs';
import { relative } from 'node:path';

/** More failed suites than this are not repeated. */
const MAX_SUITES = 3;

const failed = process.argv
  .slice(2)
  .filter((file) => existsSync(file))
  .flatMap((file) => JSON.parse(readFileSync(file, 'utf8')).testResults)
  .filter(({ status }) => status === 'failed')
  .map(({ name }) => relative(process.cwd(), name));
if (failed.length === 0 || failed.length > MAX_SUITES) process.exit(1);
console.log(failed.join('\n'));
