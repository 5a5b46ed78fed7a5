// Faults under load, one after the other: `npm run test:faults`.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { useMemoryForFiles } from '../hostile/servers.ts';
import type { ManagedServer } from '../support/managed-servers.ts';
import type { Fault } from './catalogue/fault.ts';
import { faults } from './catalogue/index.ts';
import { withFaultTable } from './judge/document.ts';
import { toJestResults } from './judge/jest-results.ts';
import { formatTable } from './judge/table.ts';
import { findProblems, isFinding, type Outcome, type VerdictOptions } from './judge/verdict.ts';
import { runTrial, type TrialTimes } from './trial.ts';
import { findFakeClock } from './world/clock.ts';
import { startDatabaseServer } from './world/start-world.ts';

const TIMES = {
  quick: { before: 3_000, after: 6_000 },
  long: { before: 5_000, after: 10_000 },
} as const;
const DOCUMENT = join(import.meta.dirname, '..', '..', 'docs', 'guarantees.md');

const { values } = parseArgs({
  args: process.argv.slice(2).filter((argument) => argument !== '--'),
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string' },
    seconds: { type: 'string' },
    'ignore-recovery': { type: 'boolean', default: false },
    results: { type: 'string' },
    'write-docs': { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
    verbose: { type: 'boolean', default: false },
  },
});
const strictness: VerdictOptions = { ignoresRecovery: values['ignore-recovery'] };
const names = values.only?.split(',');
const chosen = faults.filter(({ name, quick }) => names?.includes(name) ?? (!values.quick || quick === true));
const seconds = values.seconds === undefined ? undefined : Number(values.seconds);
if (names !== undefined && chosen.length !== new Set(names).size) {
  fail(`--only names faults, by commas: ${faults.map(({ name }) => name).join(', ')}`);
}
if (seconds !== undefined && !(seconds > 0)) fail('--seconds is a number above 0');

if (values.list) for (const { name, does } of chosen) console.log(`${name}: ${does}`);
else await run();

async function run(): Promise<void> {
  useMemoryForFiles();
  const times: TrialTimes = {
    ...TIMES[values.quick ? 'quick' : 'long'],
    fault: seconds === undefined ? undefined : seconds * 1_000,
  };
  const database = await startDatabaseServer();
  const outcomes: Outcome[] = [];
  try {
    for (const fault of chosen) {
      const outcome = await tryFault(fault, times, database);
      outcomes.push(outcome);
      report(outcome);
    }
  } finally {
    await database.close();
  }
  const failed = outcomes.filter((outcome) => findProblems(outcome, strictness).length > 0).length;
  const skipped = outcomes.filter((outcome) => !isFinding(outcome) && outcome.skipped !== undefined).length;
  const passed = outcomes.length - failed - skipped;
  console.log(`\n${formatTable(outcomes, strictness)}\n`);
  if (skipped > 0) console.log(`!!! ${skipped} not run on this machine`);
  console.log(`${passed} passed, ${failed} failed`);
  if (values.results !== undefined) writeFileSync(values.results, JSON.stringify(toJestResults(outcomes, strictness)));
  if (values['write-docs']) {
    const names = faults.map(({ name }) => name);
    writeFileSync(DOCUMENT, withFaultTable(readFileSync(DOCUMENT, 'utf8'), outcomes, names));
  }
  // A pipe of a process that was killed can stay open, and would keep this one from ending.
  process.exit(failed > 0 ? 1 : 0);
}

async function tryFault(fault: Fault, times: TrialTimes, database: ManagedServer): Promise<Outcome> {
  const { name, does, needsClock } = fault;
  const fakeClock = findFakeClock();
  if (needsClock === true && fakeClock === undefined) {
    return { fault: name, does, skipped: 'libfaketime is not installed' };
  }
  try {
    return await runTrial(fault, times, { database, fakeClock });
  } catch (error) {
    return { fault: name, does, broken: `could not be finished: ${(error as Error).message}` };
  }
}

function report(outcome: Outcome): void {
  const problems = findProblems(outcome, strictness);
  console.error(`${outcome.fault}: ${problems.length === 0 ? 'passed' : problems.join(', ')}`);
  if (!isFinding(outcome)) return;
  for (const line of outcome.missed) console.error(`  ${line}`);
  if (!values.verbose) return;
  for (const [reason, times] of outcome.failures) console.error(`  ${times} × ${reason}`);
}

function fail(line: string): never {
  console.error(line);
  process.exit(1);
}
