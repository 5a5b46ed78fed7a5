import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packPackage } from '../../scripts/lib/pack-package.mjs';
import { formatTable } from '../lib/format-table.mjs';

/** Starts servers in a fresh process, and prints how long that took. */
const EMBEDDED = `
  const from = performance.now();
  const { startMessageBox } = await import('messagebox');
  const imported = performance.now();
  const first = await startMessageBox();
  const started = performance.now();
  const second = await startMessageBox();
  const again = performance.now();
  await Promise.all([first.close(), second.close()]);
  console.log(JSON.stringify([imported - from, started - imported, again - started, performance.now() - again]));
`;

/** @type {import('./command.mjs').Command} */
export const npmPackage = {
  name: 'npm-package',
  usage: `npm run bench -- npm-package [--rounds=5]

Packs the npm package, installs it with npm in an empty folder, and measures its size and how fast it starts. How long the
installation takes depends on npm's cache, and on whether there is a ready-made binary of better-sqlite3.

  --rounds=N  how often each start is measured, 1 to 100; the medians are shown
`,
  numbers: { rounds: { default: 5, min: 1, max: 100 } },

  async measure(bench, { rounds }) {
    const folder = mkdtempSync(join(tmpdir(), 'messagebox-bench-'));
    try {
      const { file, bytes, unpackedBytes } = await packPackage(folder);
      const app = join(folder, 'app');
      mkdirSync(app);
      writeFileSync(join(app, 'package.json'), '{ "private": true, "type": "module" }');
      writeFileSync(join(app, 'embedded.js'), EMBEDDED);
      bench.say('installing');
      const from = performance.now();
      await run('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', file], app);
      const installSeconds = (performance.now() - from) / 1000;
      const installed = measureFolder(join(app, 'node_modules'));
      const starts = [];
      for (let round = 0; round < rounds; round++) {
        bench.say(`starting, round ${round + 1}`);
        const embedded = JSON.parse(await run(process.execPath, ['embedded.js'], app));
        starts.push([...embedded, await measureCommand(app)]);
      }
      const [importMs, firstStartMs, nextStartMs, closeMs, commandMs] = starts[0].map((_, at) =>
        median(starts.map((row) => row[at])),
      );
      const times = { importMs, firstStartMs, nextStartMs, closeMs, commandMs };
      return { bytes, unpackedBytes, installSeconds, installed, ...times };
    } finally {
      rmSync(folder, { recursive: true });
    }
  },

  format: (results) =>
    formatTable([
      ['', ''],
      ['tarball', megabytes(results.bytes)],
      ['unpacked', megabytes(results.unpackedBytes)],
      ['with dependencies', `${megabytes(results.installed.bytes)}, ${results.installed.packages} packages`],
      ['npm install', `${results.installSeconds.toFixed(0)} s`],
      ['import of messagebox', milliseconds(results.importMs)],
      ['startMessageBox(), first', milliseconds(results.firstStartMs)],
      ['startMessageBox(), next', milliseconds(results.nextStartMs)],
      ['close() of both', milliseconds(results.closeMs)],
      ['messagebox start, until it listens', milliseconds(results.commandMs)],
    ]).join('\n'),
};

/** @param {string} app @returns {Promise<number>} milliseconds from the start of the process to its log line */
async function measureCommand(app) {
  const from = performance.now();
  const bin = join('node_modules', 'messagebox', 'bin', 'messagebox.js');
  const child = spawn(process.execPath, [bin, 'start', '--port', '0'], {
    cwd: app,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  let output = '';
  for await (const chunk of child.stdout) {
    output += chunk;
    if (!output.includes('"msg":"listening"')) continue;
    const took = performance.now() - from;
    child.kill('SIGTERM');
    await once(child, 'exit');
    return took;
  }
  throw new Error(`messagebox start ended: ${output}`);
}

/** @param {string} command @param {string[]} args @param {string} cwd @returns {Promise<string>} stdout */
async function run(command, args, cwd) {
  const child = spawn(command, args, { cwd, stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    output += text;
  });
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${code}`);
  return output;
}

/** @param {string} folder @returns {{ bytes: number, packages: number }} */
function measureFolder(folder) {
  let bytes = 0;
  let packages = 0;
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) bytes += statSync(join(entry.parentPath, entry.name)).size;
    if (entry.isDirectory() && /node_modules(\/@[^/]+)?$/.test(entry.parentPath) && !/^[.@]/.test(entry.name))
      packages++;
  }
  return { bytes, packages };
}

const median = (/** @type {number[]} */ values) =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
const megabytes = (/** @type {number} */ bytes) => `${(bytes / 1e6).toFixed(1)} MB`;
const milliseconds = (/** @type {number} */ ms) => `${ms.toFixed(0)} ms`;
