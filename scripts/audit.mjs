// Asks the registry for known vulnerabilities: `npm run audit`. One of severity high or critical in what the images contain
// makes it fail, unless .ci/audit-exceptions.json has the advisory with a reason and a last day:
//
//   [{ "advisory": "GHSA-…", "package": "name", "because": "why it does not matter here", "until": "2026-12-31" }]
//
// A registry that does not answer makes it pass, with a note. `--report=FILE` judges the saved output of
// `pnpm audit --prod --json` instead of asking.
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { findPnpm, install } from './lib/install.mjs';
import { judgeAudit } from './lib/judge-audit.mjs';
import { findProductionClosure, readLeftOut, readLockFile, SERVICES } from './lib/production-closure.mjs';
import { main, run, SetupError } from './lib/run.mjs';
import { readJson, scriptArguments } from './lib/workspace.mjs';

await main(async () => {
  const { values } = parseArgs({ args: scriptArguments(), options: { report: { type: 'string' } } });
  const text = values.report === undefined ? await askRegistry() : readFileSync(values.report, 'utf8');
  const lock = readLockFile();
  const leftOut = readLeftOut();
  const packages = SERVICES.flatMap((service) => [...findProductionClosure(lock, leftOut, service).packages.values()]);
  const { failures, notes, unavailable } = judgeAudit(parseReport(text), {
    exceptions: readJson('.ci', 'audit-exceptions.json'),
    inImages: new Set(packages.map(({ name, version }) => `${name}@${version}`)),
    today: new Date().toISOString().slice(0, 10),
  });
  for (const note of notes) console.log(note);
  if (unavailable !== undefined) {
    console.log(`\n!!! The registry gave no answer, so vulnerabilities were NOT looked for: ${unavailable}`);
  }
  if (failures.length > 0) throw new SetupError(['The audit failed.', ...failures].join('\n'));
  if (unavailable === undefined) console.log('No vulnerability of severity high or critical is in an image.');
});

async function askRegistry() {
  await install();
  const pnpm = findPnpm();
  let output = '';
  const onOutput = (/** @type {string} */ chunk) => {
    output += chunk;
  };
  // The exit code only says that there are findings.
  await run(pnpm.command, [...pnpm.args, 'audit', '--prod', '--json'], { onOutput });
  return output;
}

/** The report begins at the first line that is a brace: pnpm and npx may warn before. @param {string} text */
function parseReport(text) {
  const start = text.search(/^\{/m);
  try {
    return JSON.parse(text.slice(Math.max(start, 0), text.lastIndexOf('}') + 1));
  } catch {
    return { error: { message: text.trim().split('\n').at(-1) || 'There was no output.' } };
  }
}
