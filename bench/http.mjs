import { medians, ratioRange } from './lib/numbers.mjs';

const CONNECTIONS = 32;
const NUMBERS = /** @type {const} */ ([
  'cpuMs',
  'systemMs',
  'perSecond',
  'p50',
  'p95',
  'p99',
  'loadCpuShare',
  'heapBytesPerRequest',
]);

/**
 * Measures this api and the public stack alternately under the same load, each with its own database.
 *
 * @param {import('./bench.mjs').Bench} bench
 * @param {{ name: string, open: () => Promise<object>, operations: ('send' | 'list')[] }} databases
 */
export async function compareHttp(bench, databases) {
  const files = { ours: 'servers/ours-api.mjs', public: 'servers/public-api.mjs' };
  const measured = await measureInTurns(bench, databases, files);
  const result = Object.entries(measured).map(([operation, { ours, public: other }]) => [
    operation,
    { ours, public: other, ...ratios(ours, other) },
  ]);
  return { database: databases.name, connections: CONNECTIONS, ...Object.fromEntries(result) };
}

/**
 * Measures a send through this api, with and without the checks of permissions and fees.
 *
 * @param {import('./bench.mjs').Bench} bench
 * @param {{ name: string, open: () => Promise<object> }} databases
 */
export async function compareChecks(bench, databases) {
  const files = { checked: 'servers/ours-api.mjs', unchecked: 'servers/unchecked-api.mjs' };
  const { send } = await measureInTurns(bench, { ...databases, operations: ['send'] }, files);
  const { checked, unchecked } = send;
  return { database: databases.name, connections: CONNECTIONS, checked, unchecked, ...ratios(checked, unchecked) };
}

/**
 * Measures a send through this api, with and without quotas.
 *
 * @param {import('./bench.mjs').Bench} bench
 * @param {{ name: string, open: () => Promise<object> }} databases
 */
export async function compareQuotas(bench, databases) {
  const files = { bounded: 'servers/ours-api.mjs', unbounded: 'servers/unbounded-api.mjs' };
  const { send } = await measureInTurns(bench, { ...databases, operations: ['send'] }, files);
  const { bounded, unbounded } = send;
  return { database: databases.name, connections: CONNECTIONS, bounded, unbounded, ...ratios(bounded, unbounded) };
}

/** @param {any} a @param {any} b */
function ratios(a, b) {
  return { cpuRatio: a.cpuMs / b.cpuMs, cpuRatioRange: ratioRange(a.rounds, b.rounds) };
}

/**
 * Measures servers alternately under the same load, each with its own database.
 *
 * @param {import('./bench.mjs').Bench} bench
 * @param {{ name: string, open: () => Promise<object>, operations: ('send' | 'list')[] }} databases
 * @param {Record<string, string>} files the script of each server
 * @returns {Promise<Record<string, Record<string, any>>>} the medians and all rounds of each operation and server
 */
async function measureInTurns(bench, databases, files) {
  const { effort, say } = bench;
  const load = bench.process('load/http-load.mjs');
  const sides = Object.fromEntries(
    await Promise.all(
      Object.entries(files).map(async ([name, file]) => [name, await bench.server(file, await databases.open())]),
    ),
  );
  for (const { url } of Object.values(sides)) await load.call('connect', { url, connections: CONNECTIONS });

  const result = {};
  for (const operation of databases.operations) {
    say(`HTTP on ${databases.name}: warming up ${operation}`);
    for (const { url } of Object.values(sides)) {
      await load.call('run', { url, operation, seconds: effort.httpWarmUpSeconds }, 120);
    }
    /** @type {Record<string, any[]>} */
    const rounds = Object.fromEntries(Object.keys(sides).map((name) => [name, []]));
    for (let round = 1; round <= effort.httpRounds; round++) {
      for (const [name, { process, url }] of Object.entries(sides)) {
        say(`HTTP on ${databases.name}: ${operation}, round ${round} of ${effort.httpRounds}, ${name}`);
        const memory = await process.call('memory');
        const before = await process.call('usage');
        const window = await load.call('run', { url, operation, seconds: effort.httpSeconds }, 120);
        const after = await process.call('usage');
        const { heap } = await process.call('memory');
        rounds[name].push({
          ...window,
          cpuMs: (after.cpuMs - before.cpuMs) / window.count,
          systemMs: (after.systemMs - before.systemMs) / window.count,
          heapBytesPerRequest: (heap - memory.heap) / window.count,
        });
      }
    }
    result[operation] = Object.fromEntries(
      Object.entries(rounds).map(([name, all]) => [name, { ...medians(all, NUMBERS), rounds: all }]),
    );
  }
  for (const { process } of Object.values(sides)) {
    await process.call('stop');
    await process.stop();
  }
  await load.stop();
  return result;
}
