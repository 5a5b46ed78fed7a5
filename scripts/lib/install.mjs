import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { run, SetupError } from './run.mjs';
import { inRoot, readJson, workspaceFolders } from './workspace.mjs';

const stamp = inRoot('node_modules', '.cache', 'messagebox', 'installed');

/** Installs the dependencies that the lock file names, unless exactly that is installed already. */
export async function install() {
  const wanted = fingerprint();
  if (isInstalled(wanted)) return;
  // If this run is interrupted, the next one must start over.
  rmSync(stamp, { force: true });
  const pnpm = findPnpm();
  console.error('Installing the dependencies …');
  const seconds = stopwatch();
  const { code, output } = await withProgress(pnpm, [
    'install',
    '--frozen-lockfile',
    '--reporter=append-only',
    // Also with NODE_ENV=production: the compiler is a development dependency.
    '--prod=false',
    // A node_modules made by something else is replaced without a question that nobody may be there to answer.
    '--config.confirm-modules-purge=false',
  ]);
  if (code !== 0) throw explain(code, output);
  await checkNativeAddon(pnpm);
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, wanted);
  console.error(`Installed in ${seconds()} s.`);
}

/** One value for everything the contents of node_modules depend on. */
function fingerprint() {
  const hash = createHash('sha256');
  hash.update(`${process.platform}-${process.arch} abi ${process.versions.modules}\n`);
  const manifests = workspaceFolders().map((folder) => `${folder}/package.json`);
  for (const file of ['pnpm-lock.yaml', 'pnpm-workspace.yaml', ...manifests]) {
    hash.update(`${file}\n`).update(readFileSync(inRoot(file)));
  }
  return hash.digest('hex');
}

function isInstalled(wanted) {
  if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== wanted) return false;
  return workspaceFolders().every((folder) => {
    const { dependencies, devDependencies } = readJson(folder, 'package.json');
    return (!dependencies && !devDependencies) || existsSync(inRoot(folder, 'node_modules'));
  });
}

/** The pnpm that runs this script, if one does; else the pinned one, fetched by npx. */
export function findPnpm() {
  const runner = process.env.npm_execpath ?? '';
  if (/pnpm\.[cm]?js$/.test(runner) && existsSync(runner)) return { command: process.execPath, args: [runner] };
  const pinned = readJson('package.json').packageManager.split('+')[0];
  const npx = findNpx();
  if (!npx) {
    throw new SetupError(
      'npx was not found: install npm (it comes with Node from https://nodejs.org) and run this again.',
    );
  }
  return { ...npx, args: [...npx.args, '--yes', '--prefer-offline', pinned] };
}

function findNpx() {
  // Beside the npm that runs this script, as Windows cannot start npx.cmd without a shell.
  const cli = process.env.npm_execpath && join(dirname(process.env.npm_execpath), 'npx-cli.js');
  if (cli && existsSync(cli)) return { command: process.execPath, args: [cli] };
  const found = (process.env.PATH ?? '').split(delimiter).some((folder) => folder && existsSync(join(folder, 'npx')));
  return found ? { command: 'npx', args: [] } : undefined;
}

// npm's defaults need over a minute to notice that there is no network.
const lessPatient = {
  npm_config_fetch_retry_mintimeout: '2000',
  npm_config_fetch_retry_maxtimeout: '10000',
  ...process.env,
};

/** Runs pnpm and shows how far it is: one changing line on a terminal, else a line every few seconds. */
async function withProgress(pnpm, args) {
  const terminal = process.stderr.isTTY;
  let output = '';
  let rest = '';
  let shownAt = 0;
  let compiling = false;
  const show = (line, now = false) => {
    if (terminal) process.stderr.write(`\r\x1b[K${line.slice(0, (process.stderr.columns ?? 80) - 1)}`);
    else if (now || Date.now() - shownAt >= 5000) console.error(line);
    else return;
    shownAt = Date.now();
  };
  const onOutput = (chunk) => {
    output = (output + chunk).slice(-200_000);
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      if (line.startsWith('Progress: ')) show(`  ${line}`);
      else if (!compiling && /better-sqlite3 install: gyp info/.test(line)) {
        compiling = true;
        show('  Compiling better-sqlite3, as there is no ready-made one for this system: one or two minutes …', true);
      }
    }
  };
  try {
    const code = await run(pnpm.command, [...pnpm.args, ...args], { onOutput, env: lessPatient });
    return { code, output };
  } finally {
    if (terminal) process.stderr.write('\r\x1b[K');
  }
}

/** pnpm finds nothing to do after a change of Node's version, but what was compiled for the other one does not load. */
async function checkNativeAddon(pnpm) {
  if (await addonLoads()) return;
  const { code, output } = await withProgress(pnpm, [
    '--recursive',
    '--reporter=append-only',
    'rebuild',
    'better-sqlite3',
  ]);
  if (code !== 0 || !(await addonLoads())) throw explain(code, `${output}\nbetter-sqlite3 does not load`);
}

async function addonLoads() {
  const script = `new (require(${JSON.stringify(inRoot('packages', 'store', 'node_modules', 'better-sqlite3'))}))(':memory:').close()`;
  return (await run(process.execPath, ['-e', script], { onOutput: () => {} })) === 0;
}

/** The last lines of what pnpm said, and one line that says what to do about it. */
function explain(code, output) {
  console.error(
    output
      .trimEnd()
      .split('\n')
      .filter((line) => !line.startsWith('npm warn'))
      .slice(-40)
      .join('\n'),
  );
  if (/gyp ERR![^\n]*network connectivity/.test(output)) {
    return new SetupError(
      'better-sqlite3 has no ready-made binary for this system, and the headers of Node, which are needed to compile it, could not ' +
        'be downloaded from nodejs.org. Allow that, or name the folder where Node is installed with its headers: ' +
        'npm_config_nodedir=/usr npm start (the folder that has include/node).',
    );
  }
  if (/gyp ERR|node-gyp|better-sqlite3 does not load/.test(output)) {
    return new SetupError(
      'better-sqlite3 could not be compiled: install Python 3, make and a C++ compiler ' +
        '(Debian, Ubuntu: apt-get install python3 make g++; macOS: xcode-select --install) and run this again.',
    );
  }
  if (
    /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|ERR_SOCKET|META_FETCH_FAIL/.test(
      output,
    )
  ) {
    return new SetupError(
      'The dependencies could not be downloaded: the first run needs a network connection to the npm registry ' +
        '(behind a proxy or mirror: npm config set proxy, npm config set registry). Then run this again.',
    );
  }
  if (/ERR_PNPM_OUTDATED_LOCKFILE/.test(output)) {
    return new SetupError(
      'pnpm-lock.yaml does not match the package.json files: run "npx pnpm@10 install" and commit the result.',
    );
  }
  return new SetupError(`pnpm could not install the dependencies (exit code ${code}); what it said is above.`);
}

function stopwatch() {
  const start = Date.now();
  return () => Math.round((Date.now() - start) / 1000);
}
