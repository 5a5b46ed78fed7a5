// Packs the npm package `messagebox`, with everything of the workspace in it: `npm run pack [-- --out=FOLDER]`. The folder is
// pack/ unless told otherwise. Prints the file of the tarball.
import { mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { packPackage } from './lib/pack-package.mjs';
import { prepare } from './lib/prepare.mjs';
import { main } from './lib/run.mjs';
import { scriptArguments } from './lib/workspace.mjs';

await main(async () => {
  const { values } = parseArgs({ args: scriptArguments(), options: { out: { type: 'string', default: 'pack' } } });
  await prepare();
  const folder = resolve(values.out);
  mkdirSync(folder, { recursive: true });
  const { file, bytes, unpackedBytes, files } = await packPackage(folder);
  console.error(`${mega(bytes)} MB packed, ${mega(unpackedBytes)} MB unpacked, ${files} files`);
  console.log(file);
});

/** @param {number} bytes */
function mega(bytes) {
  return (bytes / 1e6).toFixed(2);
}
