#!/usr/bin/env node
// Stands in for npm on the PATH of a page that is executed: `npm install NAME@VERSION …` links the packages that the workspace
// has, so that the test needs no registry, and refuses other versions. All else goes to the real npm.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, realpathSync, symlinkSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';

const [command, ...args] = process.argv.slice(2);
const { PATH = '', PACKAGES_AT = '' } = process.env;

if (command !== 'install') {
  const own = dirname(process.argv[1]);
  const path = PATH.split(delimiter).filter((folder) => folder !== own);
  const { status } = spawnSync('npm', process.argv.slice(2), {
    stdio: 'inherit',
    env: { ...process.env, PATH: path.join(delimiter) },
  });
  process.exit(status ?? 1);
}

for (const spec of args) {
  const [, name = '', version] = /^(@?[^@]+)@(.+)$/.exec(spec) ?? [];
  const source = realpathSync(join(PACKAGES_AT, name));
  const installed = JSON.parse(readFileSync(join(source, 'package.json'), 'utf8')).version;
  if (installed !== version) throw new Error(`the page installs ${spec}, and the workspace has ${installed}`);
  const target = join('node_modules', name);
  mkdirSync(dirname(target), { recursive: true });
  symlinkSync(source, target);
}
