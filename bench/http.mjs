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
 * Our api and the public stack, each on a database of its own, under the same load in turns.
 *
 * @param {import('./bench.mjs').Bench} bench
 * @param {{ name: string, open: () => Promise<object>, operations: ('send' | 'list')[] }} databases
 */
export async function compareHttp(bench, databases) {
  const { effort, say } = bench;
  const load = bench.process('load/http-load.mjs');
  const sides = {
    ours: await bench.server('servers/ours-api.mjs', await databases.open()),
    public: await bench.server('servers/public-api.mjs', await databases.open()),
  };
  for (const { url } of Object.values(sides)) await load.call('connect', { url, connections: CONNECTIONS });

  const result = {};
  for (const operation of databases.operations) {
    say(`HTTP on ${databases.name}: warming up ${operation}`);
    for (const { url } of Object.values(sides)) {
      await load.call('run', { url, operation, seconds: effort.httpWarmUpSeconds }, 120);
    }
    /** @type {Record<string, any[]>} */
    const rounds = { ours: [], public: [] };
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
    const ours = { ...medians(rounds.ours, NUMBERS), rounds: rounds.ours };
    const other = { ...medians(rounds.public, NUMBERS), rounds: rounds.public };
    result[operation] = {
      ours,
      public: other,
      cpuRatio: ours.cpuMs / other.cpuMs,
      cpuRatioRange: ratioRange(rounds.ours, rounds.public),
    };
  }
  for (const { process } of Object.values(sides)) {
    await process.call('stop');
    await process.stop();
  }
  await load.stop();
  return { database: databases.name, connections: CONNECTIONS, ...result };
}
