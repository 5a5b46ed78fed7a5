// Writes a software bill of materials (CycloneDX, JSON) for the image of each service, and prints how many packages it has
// and how large they are: `npm run sbom [-- --out=FOLDER]`. The folder is sbom/ unless told otherwise.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { createSbom } from './lib/create-sbom.mjs';
import { findInstalledPackages, measurePackage } from './lib/installed-packages.mjs';
import { prepare } from './lib/prepare.mjs';
import { findProductionClosure, readLeftOut, readLockFile, SERVICES } from './lib/production-closure.mjs';
import { main } from './lib/run.mjs';
import { scriptArguments } from './lib/workspace.mjs';

await main(async () => {
  const { values } = parseArgs({ args: scriptArguments(), options: { out: { type: 'string', default: 'sbom' } } });
  await prepare({ build: false });
  const folder = resolve(values.out);
  mkdirSync(folder, { recursive: true });
  const lock = readLockFile();
  const leftOut = readLeftOut();
  for (const service of SERVICES) {
    const closure = findProductionClosure(lock, leftOut, service);
    const installed = findInstalledPackages(closure);
    writeFileSync(join(folder, `${service}.cdx.json`), createSbom(service, closure, installed));
    const bytes = [...installed.values()].reduce((sum, path) => sum + measurePackage(path), 0);
    console.log(`${service}: ${closure.packages.size} packages, ${(bytes / 1e6).toFixed(1)} MB`);
  }
  console.log(folder);
});
