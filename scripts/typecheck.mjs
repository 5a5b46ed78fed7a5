import { compile, prepare } from './lib/prepare.mjs';
import { main } from './lib/run.mjs';

await main(async () => {
  await prepare({ build: false });
  await compile(['tsconfig.json', 'tests/tsconfig.json', 'scripts/tsconfig.json']);
});
