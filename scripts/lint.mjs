import { prepare } from './lib/prepare.mjs';
import { main, runNode } from './lib/run.mjs';
import { scriptArguments } from './lib/workspace.mjs';

await main(async () => {
  await prepare({ build: false });
  await runNode('node_modules/@biomejs/biome/bin/biome', ['check', ...scriptArguments()]);
});
