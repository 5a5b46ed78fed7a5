import { prepare } from './lib/prepare.mjs';
import { become, main } from './lib/run.mjs';
import { scriptArguments } from './lib/workspace.mjs';

await main(async () => {
  // Paths in the arguments, and `.env`, mean the folder that npm was called in.
  const folder = process.env.INIT_CWD ?? process.cwd();
  await prepare();
  process.chdir(folder);
  await become('packages/cli/bin/messagebox.mjs', scriptArguments());
});
