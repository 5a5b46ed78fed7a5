import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { createTemporaryFolder, startProcess } from '@messagebox/test-support/managed-process';

const root = resolve(import.meta.dirname, '..', '..', '..');
/** npm, with a full cache, needs a few seconds. */
const INSTALL_TIMEOUT_MS = 300_000;

/** The packed package, installed in a folder that had nothing in it. */
export interface InstalledPackage {
  /** The folder with `node_modules`. */
  readonly folder: string;
  readonly tarball: string;
  remove(): void;
}

/** Runs a command to its end. @returns what it printed on stdout @throws with its output when its exit code is not 0 */
export async function run(
  command: string,
  args: readonly string[],
  options: { readonly cwd: string; readonly limitMs?: number },
): Promise<string> {
  const child = startProcess(command, args, { cwd: options.cwd, env: process.env });
  const timer = setTimeout(() => child.signal('SIGKILL'), options.limitMs ?? INSTALL_TIMEOUT_MS);
  const { code } = await child.closed;
  clearTimeout(timer);
  const output = child.lines.join('\n');
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${code}:\n${output}`);
  return output;
}

/** Packs the package, and installs the tarball with npm as a user does, with install scripts. */
export async function installPackage(): Promise<InstalledPackage> {
  const temporary = createTemporaryFolder();
  const packed = join(temporary.path, 'packed');
  const folder = join(temporary.path, 'app');
  mkdirSync(folder);
  await run(process.execPath, ['scripts/pack.mjs', `--out=${packed}`], { cwd: root });
  const { version } = JSON.parse(readFileSync(join(root, 'packages/messagebox/package.json'), 'utf8')) as {
    version: string;
  };
  const tarball = join(packed, `messagebox-${version}.tgz`);
  writeFileSync(join(folder, 'package.json'), '{ "name": "app", "private": true, "type": "module" }\n');
  // `prebuild-install` reads this file of the folder that is installed into. A shell would drop the variable of this name.
  writeFileSync(join(folder, '.prebuild-installrc'), `local-prebuilds=${await packAddon(temporary.path)}\n`);
  await run('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', tarball], { cwd: folder });
  return { folder, tarball, remove: () => temporary.remove() };
}

/**
 * Packs the workspace's own addon of better-sqlite3 as `prebuild-install` expects a ready-made one, which it otherwise
 * downloads from GitHub. Where that fails, compiling would take more than a minute.
 *
 * @returns the folder with it
 */
async function packAddon(parent: string): Promise<string> {
  const require = createRequire(join(root, 'packages/store/package.json'));
  const driver = dirname(require.resolve('better-sqlite3/package.json'));
  const { version } = require('better-sqlite3/package.json') as { version: string };
  const prebuilds = join(parent, 'prebuilds');
  mkdirSync(prebuilds);
  const { platform, arch, versions } = process;
  const name = `better-sqlite3-v${version}-node-v${versions.modules}-${platform}-${arch}.tar.gz`;
  await run('tar', ['-czf', join(prebuilds, name), '-C', driver, 'build/Release/better_sqlite3.node'], { cwd: parent });
  return prebuilds;
}
