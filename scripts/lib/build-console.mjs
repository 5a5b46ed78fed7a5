import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { run, SetupError } from './run.mjs';
import { inRoot } from './workspace.mjs';

const CONSOLE = 'packages/console';
const built = inRoot(CONSOLE, 'dist', 'app', 'index.html');
const stamp = inRoot('node_modules', '.cache', 'messagebox', 'console');

/** Builds the browser application, unless exactly its sources are built already. */
export async function buildConsole() {
  const wanted = fingerprint();
  if (existsSync(built) && existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  // If this run is interrupted, the next one must build.
  rmSync(stamp, { force: true });
  let output = '';
  const code = await run(
    process.execPath,
    [
      inRoot(CONSOLE, 'node_modules', 'vite', 'bin', 'vite.js'),
      'build',
      inRoot(CONSOLE, 'app'),
      '--config',
      inRoot(CONSOLE, 'vite.config.ts'),
      '--logLevel',
      'warn',
    ],
    {
      onOutput: (text) => {
        output += text;
      },
    },
  );
  if (code !== 0) throw new SetupError(`The console could not be built:\n${output.trim()}`);
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, wanted);
}

/** One value for everything that the build depends on: the sources, how they are built, and the versions of libraries. */
function fingerprint() {
  const hash = createHash('sha256');
  const app = join(CONSOLE, 'app');
  const sources = readdirSync(inRoot(app), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  for (const file of [
    ...sources,
    ...['vite.config.ts', 'first-view.ts', 'package.json'].map((name) => inRoot(CONSOLE, name)),
    inRoot('pnpm-lock.yaml'),
  ]) {
    hash.update(`${file}\n`).update(readFileSync(file));
  }
  return hash.digest('hex');
}
