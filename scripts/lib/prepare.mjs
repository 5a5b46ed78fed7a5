import { buildConsole } from './build-console.mjs';
import { install } from './install.mjs';
import { run, SetupError } from './run.mjs';
import { inRoot, readJson } from './workspace.mjs';

/**
 * Everything a fresh clone needs before one of its programs can run: checks Node, installs what is not installed and
 * builds what is not built. When nothing changed since the last time this takes well under a second.
 */
export async function prepare({ build = true } = {}) {
  checkNode();
  await install();
  if (!build) return;
  await compile();
  await buildConsole();
  await run(process.execPath, [inRoot('packages', 'api-description', 'copy-assets.mjs')]);
}

/** Compiles what changed (`tsc -b` keeps track itself). */
export async function compile(projects = ['tsconfig.json']) {
  const code = await run(process.execPath, [inRoot('node_modules', 'typescript', 'bin', 'tsc'), '-b', ...projects]);
  if (code !== 0) throw new SetupError('The TypeScript sources have errors; they are listed above.');
}

function checkNode() {
  const wanted = readJson('package.json').engines.node.replace('>=', '');
  const [major, minor] = wanted.split('.').map(Number);
  const [ownMajor, ownMinor] = process.versions.node.split('.').map(Number);
  if (ownMajor > major || (ownMajor === major && ownMinor >= minor)) return;
  throw new SetupError(
    `MessageBox needs Node ${wanted} or newer, and this is ${process.versions.node}: https://nodejs.org`,
  );
}
