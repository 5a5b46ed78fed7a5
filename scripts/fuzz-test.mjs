import { parseArgs } from 'node:util';
import { prepare } from './lib/prepare.mjs';
import { become, main } from './lib/run.mjs';
import { scriptArguments } from './lib/workspace.mjs';

const DEFAULT_SECONDS = '60';

/** Checks random inputs for longer than the ordinary tests do: `npm run test:fuzz -- --seconds=N [--seed=S] [--only=TARGET]`. */
await main(async () => {
  const { values } = parseArgs({
    args: scriptArguments(),
    options: {
      seconds: { type: 'string' },
      seed: { type: 'string' },
      path: { type: 'string' },
      only: { type: 'string' },
    },
  });
  const { seconds = DEFAULT_SECONDS, seed = String(Math.floor(Math.random() * 2 ** 31)), path, only = '' } = values;
  if (!(Number(seconds) > 0)) throw new Error('--seconds must be a positive number: the time for each property');
  if (!Number.isSafeInteger(Number(seed))) throw new Error('--seed must be an integer');
  await prepare();
  process.env['FUZZ_SECONDS'] = seconds;
  process.env['FUZZ_SEED'] = seed;
  if (path !== undefined) process.env['FUZZ_PATH'] = path;
  process.stdout.write(`Seed ${seed}, ${seconds} s for each property\n`);
  await become('node_modules/jest/bin/jest.js', [`tests/fuzz/${only}`]);
});
