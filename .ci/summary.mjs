// What CI prints last: each failed test with its reason once more, then `N passed, N failed`.
//
// node .ci/summary.mjs FOLDER: of the Jest results (JSON) in the folder, one file for each run. With `--failed`, a step
// failed that is in none of them: it counts as one, unless a failed test explains it.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

/** Enough of a reason to tell what happened. */
const REASON_LINES = 30;

const { values, positionals } = parseArgs({ allowPositionals: true, options: { failed: { type: 'boolean' } } });
const [folder] = positionals;
let passed = 0;
let failed = 0;

function report(title, reason) {
  console.log(`\n✕ ${title}\n${reason.split('\n').slice(0, REASON_LINES).join('\n')}`);
}

for (const file of readdirSync(folder).sort()) {
  const run = JSON.parse(readFileSync(join(folder, file), 'utf8'));
  passed += run.numPassedTests;
  failed += run.numFailedTests + run.numRuntimeErrorTestSuites;
  for (const suite of run.testResults) {
    const failures = suite.assertionResults.filter(({ status }) => status === 'failed');
    for (const { fullName, failureMessages } of failures) {
      report(`${file}: ${suite.name}: ${fullName}`, failureMessages.join('\n'));
    }
    if (suite.status === 'failed' && failures.length === 0) report(`${file}: ${suite.name}`, suite.message);
  }
}
if (values.failed && failed === 0) failed = 1;
console.log(`\n${passed} passed, ${failed} failed`);
