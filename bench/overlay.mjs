import { Agent, request } from 'node:http';
import { createIdentityKey } from './lib/advertisements.mjs';
import { medians, percentiles, ratioRange } from './lib/numbers.mjs';

const FEW = 10;
const MANY = 10_000;
const START_SECONDS = 300;
const NUMBERS = /** @type {const} */ (['cpuMs', 'p50', 'p95', 'p99']);

/**
 * Measures lookups at `ls_messagebox` by identity key, one at a time, alternately with few and with many advertisements.
 *
 * @param {import('./bench.mjs').Bench} bench
 * @param {() => object | Promise<object>} openDatabase
 */
export async function measureOverlay(bench, openDatabase) {
  const { effort, say } = bench;
  const sides = [];
  for (const advertisements of [FEW, MANY]) {
    say(`Overlay: storing ${advertisements} advertisements`);
    const process = bench.process('servers/ours-overlay.mjs');
    const params = { privateKey: bench.privateKey, database: await openDatabase(), advertisements };
    const url = await process.call('start', params, START_SECONDS);
    sides.push({ advertisements, process, url, /** @type {any[]} */ rounds: [] });
  }
  for (const { url, advertisements } of sides) await lookUp(url, advertisements, effort.lookups / 2);
  for (let round = 1; round <= effort.lookupRounds; round++) {
    for (const { process, url, advertisements, rounds } of sides) {
      say(`Overlay: round ${round} of ${effort.lookupRounds}, ${advertisements} advertisements`);
      const before = await process.call('usage');
      const latencies = await lookUp(url, advertisements, effort.lookups);
      const after = await process.call('usage');
      rounds.push({ cpuMs: (after.cpuMs - before.cpuMs) / effort.lookups, ...percentiles(latencies) });
    }
  }
  for (const { process } of sides) {
    await process.call('stop');
    await process.stop();
  }
  const [few, many] = sides.map(({ advertisements, rounds }) => ({
    advertisements,
    ...medians(rounds, NUMBERS),
    rounds,
  }));
  return { few, many, cpuRatio: many.cpuMs / few.cpuMs, cpuRatioRange: ratioRange(many.rounds, few.rounds) };
}

/** Looks up identities from all over the store on one connection. Each response must have one output. */
async function lookUp(url, advertisements, count) {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const latencies = [];
  for (let i = 0; i < count; i++) {
    const identityKey = createIdentityKey((i * 7_919) % advertisements);
    const start = performance.now();
    const answer = await ask(agent, url, { service: 'ls_messagebox', query: { identityKey } });
    latencies.push(performance.now() - start);
    if (answer[0] !== 1) throw new Error(`The response has ${answer[0]} outputs instead of one`);
  }
  agent.destroy();
  return latencies;
}

/** @returns {Promise<Buffer>} */
function ask(agent, url, question) {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'x-aggregation': 'yes' };
    const asked = request(`${url}/lookup`, { agent, method: 'POST', headers }, (response) => {
      const chunks = [];
      response.on('data', (chunk) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const body = Buffer.concat(chunks);
        if (response.statusCode === 200) resolve(body);
        else reject(new Error(`A lookup got status ${response.statusCode}: ${body}`));
      });
    });
    asked.on('error', reject);
    asked.end(JSON.stringify(question));
  });
}
