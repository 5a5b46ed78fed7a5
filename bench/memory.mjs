import { slope } from './lib/numbers.mjs';

const CONNECTIONS = 32;
const SAMPLES = 20;

/**
 * Measures whether the memory of the api grows with the number of answered requests. Caches, database pages and spare heap
 * fill once and are not a leak, so the trend is that of the second half.
 *
 * @param {import('./bench.mjs').Bench} bench
 */
export async function watchMemory(bench, database) {
  const { effort, say } = bench;
  const load = bench.process('load/http-load.mjs');
  const { process, url } = await bench.server('servers/ours-api.mjs', database);
  await load.call('connect', { url, connections: CONNECTIONS });
  const each = Math.ceil(effort.memoryRequests / SAMPLES);
  const end = performance.now() + effort.memorySeconds * 1000;
  const samples = [];
  let requests = 0;
  while (requests < effort.memoryRequests && performance.now() < end) {
    say(`Memory of the api: ${requests} of ${effort.memoryRequests} requests`);
    const { count } = await load.call('run', { url, operation: 'send', seconds: 60, most: each }, 120);
    requests += count;
    samples.push({ requests, ...(await process.call('memory')) });
  }
  await process.call('stop');
  await process.stop();
  await load.stop();
  const secondHalf = samples.slice(Math.floor(samples.length / 2));
  const trend = (/** @type {'rss' | 'heap'} */ name) =>
    slope(secondHalf.map((sample) => ({ x: sample.requests, y: sample[name] })));
  return { requests, samples, rssBytesPerRequest: trend('rss'), heapBytesPerRequest: trend('heap') };
}
