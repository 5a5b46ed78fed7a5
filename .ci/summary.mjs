// Prints the last lines of CI: each failed test with its reason once more, then `N passed, N failed`.
//
// node .ci/summary.mjs FOLDER reads the Jest results (JSON) in the folder, one file for each run. `--failed` says that a
// step failed. The step counts as one failure, unless a failed test explains it. A suite that failed and passed when it
// was repeated (repeated.json for all tests, NAME.repeated.json for those of NAME.json) is named as unsteady, and counts with
// its second result.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

/** Enough of a reason to tell what happened. */
const REASON_LINES = 30;
/** How the names of results of a second run end. */
const REPEATED = 'repeated.json';

const { values, positionals } = parseArgs({ allowPositionals: true, options: { failed: { type: 'boolean' } } });
const [folder] = positionals;
let passed = 0;
let failed = 0;

function report(title, reason, sign = '✕') {
  console.log(`\n${sign} ${title}\n${reason.split('\n').slice(0, REASON_LINES).join('\n')}`);
}

const files = readdirSync(folder).sort();
const readRun = (file) => JSON.parse(readFileSync(join(folder, file), 'utf8'));
/** The names of the suites of a file that were run once more. */
function readRepeated(file) {
  if (file.endsWith(REPEATED)) return new Set();
  const own = file.replace(/json$/, REPEATED);
  const found = [own, REPEATED].find((name) => files.includes(name));
  return new Set(found === undefined ? [] : readRun(found).testResults.map(({ name }) => name));
}

for (const file of files) {
  const repeated = readRepeated(file);
  for (const suite of readRun(file).testResults) {
    const isUnsteady = suite.status === 'failed' && repeated.has(suite.name);
    const sign = isUnsteady ? '! unsteady:' : '✕';
    const withStatus = (status) => suite.assertionResults.filter((result) => result.status === status);
    const failures = withStatus('failed');
    if (!isUnsteady) {
      passed += withStatus('passed').length;
      failed += failures.length;
    }
    for (const { fullName, failureMessages } of failures) {
      report(`${file}: ${suite.name}: ${fullName}`, failureMessages.join('\n'), sign);
    }
    if (suite.status === 'failed' && failures.length === 0) {
      if (!isUnsteady) failed += 1;
      report(`${file}: ${suite.name}`, suite.message, sign);
    }
  }
}
if (values.failed && failed === 0) failed = 1;
console.log(`\n${passed} passed, ${failed} failed`);
