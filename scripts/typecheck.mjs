import { compile, prepare } from './lib/prepare.mjs';
import { main } from './lib/run.mjs';

await main(async () => {
  await prepare({ build: false });
  await compile([
    'tsconfig.json',
    'packages/console/app/tsconfig.json',
    'packages/console/app/worker/tsconfig.json',
    'tests/tsconfig.json',
    'tests/browser/tsconfig.json',
    'examples/browser-chat/tsconfig.json',
    'scripts/tsconfig.json',
  ]);
});
