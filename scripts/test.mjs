import { prepare } from './lib/prepare.mjs';
import { become, main, run } from './lib/run.mjs';
import { inRoot, scriptArguments } from './lib/workspace.mjs';

const JEST = 'node_modules/jest/bin/jest.js';
/** Tests that need the machine for themselves: they send at a steady rate, and judge how long clients are away. */
const ALONE = 'tests/rolling';
const OTHERS = ['--testPathIgnorePatterns', '/node_modules/', '/dist/', `<rootDir>/${ALONE}/`];

/** `--outputFile=x.json` of the first run is `x.alone.json` of the second. */
const ownOutput = (argument) => argument.replace(/^(--outputFile=.*)\.json$/, '$1.alone.json');

await main(async () => {
  await prepare();
  const given = scriptArguments();
  // A path, or a way of working of its own: one run, as it was asked for.
  if (given.some((argument) => !argument.startsWith('-') || argument.startsWith('--watch'))) return become(JEST, given);
  console.error('\nRun 1 of 2: all tests except those under steady load');
  const others = await run(process.execPath, [inRoot(JEST), ...given, ...OTHERS]);
  console.error('\nRun 2 of 2: tests under steady load, by themselves');
  const alone = await run(process.execPath, [inRoot(JEST), ...given.map(ownOutput), '--runInBand', ALONE]);
  process.exitCode = Math.max(others, alone);
});
