import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { loadCurve } from '@messagebox/brc103';
import { Bench, hasRoomInMemory } from './bench.mjs';
import { quick, thorough } from './effort.mjs';
import { compareChecks, compareHttp, compareQuotas } from './http.mjs';
import { measureLive } from './live.mjs';
import { watchMemory } from './memory.mjs';
import { measureOverlay } from './overlay.mjs';
import { evaluateGoals, formatReport } from './report.mjs';

const USAGE = `npm run bench -- [--quick] [--json] [--only=http,checks,quotas,parts,memory,live,overlay] [--profile=FOLDER]

  --quick           less of everything, under a minute
  --json            the results as JSON on stdout instead of the tables
  --only=PARTS      only these parts, comma-separated
  --profile=FOLDER  the servers write CPU profiles there, which makes the numbers worse
`;

const { values: options } = parseArgs({
  args: process.argv.slice(2),
  options: {
    quick: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    only: { type: 'string', default: 'http,checks,quotas,parts,memory,live,overlay' },
    profile: { type: 'string' },
    help: { type: 'boolean', short: 'h', default: false },
  },
});

if (options.help) process.stdout.write(USAGE);
else await main();

/** Runs the parts, prints the results, and writes them to results/latest.json. The exit code is 1 only after an error. */
async function main() {
  const start = performance.now();
  const say = (/** @type {string} */ text) => console.error(`${seconds(start).padStart(4)} s  ${text}`);
  const bench = new Bench(options.quick ? quick : thorough, options.profile, say);
  const interrupted = (/** @type {NodeJS.Signals} */ signal) => {
    void bench.close().finally(() => process.exit(signal === 'SIGINT' ? 130 : 143));
  };
  process.once('SIGINT', interrupted).once('SIGTERM', interrupted);
  try {
    const results = await measure(bench);
    const json = JSON.stringify({ ...results, seconds: Number(seconds(start)) }, undefined, 2);
    mkdirSync(new URL('results/', import.meta.url), { recursive: true });
    const file = new URL('results/latest.json', import.meta.url);
    writeFileSync(file, `${json}\n`);
    process.stdout.write(
      options.json ? `${json}\n` : `\n${formatReport(results)}\n\n${seconds(start)} s; ${fileURLToPath(file)}\n`,
    );
  } catch (error) {
    console.error(error);
    process.exitCode = 1;
  } finally {
    process.off('SIGINT', interrupted).off('SIGTERM', interrupted);
    await bench.close();
  }
}

/** @param {Bench} bench */
async function measure(bench) {
  const loadAverage = loadavg().map((load) => Number(load.toFixed(2)));
  const at = new Date().toISOString();
  const wanted = new Set(options.only.split(','));
  const http = wanted.has('http') ? await measureHttp(bench) : undefined;
  const checks = wanted.has('checks') ? await measureEach(bench, compareChecks) : undefined;
  const quotas = wanted.has('quotas') ? await measureEach(bench, compareQuotas) : undefined;
  const parts = wanted.has('parts') ? await measureParts(bench) : undefined;
  const memory = wanted.has('memory') ? await watchMemory(bench, bench.sqliteInMemory()) : undefined;
  const live = wanted.has('live') ? await measureLive(bench, bench.sqliteInMemory()) : undefined;
  const overlay = wanted.has('overlay') ? await measureOverlays(bench) : undefined;
  const machine = {
    cpu: cpus()[0]?.model.trim() ?? 'unknown CPU',
    cores: cpus().length,
    loadAverage,
    node: process.versions.node,
    platform: `${process.platform}-${process.arch}`,
    secp256k1: loadCurve().name,
  };
  const results = { at, quick: options.quick, machine, http, checks, quotas, parts, memory, live, overlay };
  return { ...results, goals: evaluateGoals(results) };
}

/** @param {Bench} bench */
async function measureHttp(bench) {
  const mysqlUrl = process.env.TEST_MYSQL_URL;
  const http = [];
  if (hasRoomInMemory()) {
    const open = async () => bench.sqliteInMemory();
    http.push(await compareHttp(bench, { name: 'SQLite in memory', open, operations: ['send', 'list'] }));
  }
  if (bench.effort.disk || http.length === 0) {
    const open = async () => bench.sqlite();
    http.push(await compareHttp(bench, { name: 'SQLite on disk', open, operations: ['send'] }));
  }
  if (mysqlUrl) {
    const open = () => bench.mysql(mysqlUrl);
    http.push(await compareHttp(bench, { name: 'MySQL', open, operations: ['send'] }));
  }
  return http;
}

/** @param {Bench} bench */
async function measureOverlays(bench) {
  const mysqlUrl = process.env.TEST_MYSQL_URL;
  const overlay = [{ database: 'SQLite', ...(await measureOverlay(bench, () => bench.sqliteInMemory())) }];
  if (mysqlUrl) overlay.push({ database: 'MySQL', ...(await measureOverlay(bench, () => bench.mysql(mysqlUrl))) });
  return overlay;
}

/**
 * @template T
 * @param {Bench} bench
 * @param {(bench: Bench, databases: { name: string, open: () => Promise<object> }) => Promise<T>} compare
 */
async function measureEach(bench, compare) {
  const mysqlUrl = process.env.TEST_MYSQL_URL;
  const results = [await compare(bench, { name: 'SQLite in memory', open: async () => bench.sqliteInMemory() })];
  if (mysqlUrl) results.push(await compare(bench, { name: 'MySQL', open: () => bench.mysql(mysqlUrl) }));
  return results;
}

/** @param {Bench} bench */
async function measureParts(bench) {
  bench.say('Parts of a request by themselves');
  const child = bench.process('parts.mjs');
  const { privateKey, effort } = bench;
  const parts = await child.call(
    'measure',
    { privateKey, database: bench.sqliteInMemory(), roundMs: effort.partMs },
    120,
  );
  await child.stop();
  return parts;
}

function seconds(/** @type {number} */ since) {
  return ((performance.now() - since) / 1000).toFixed(0);
}
