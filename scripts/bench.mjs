import { prepare } from './lib/prepare.mjs';
import { become, main } from './lib/run.mjs';
import { scriptArguments } from './lib/workspace.mjs';

await main(async () => {
  await prepare();
  await become('bench/main.mjs', scriptArguments());
});
