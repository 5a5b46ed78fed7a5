import { slope } from './lib/numbers.mjs';

const CONNECTIONS = 32;
const SAMPLES = 20;

/**
 * Whether the memory of our api grows with the number of requests that it has answered. What fills once (caches, the
 * database's pages, the heap's own spare room) must not be taken for a leak, so the trend is that of the second half.
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
    say(`Memory of our api: ${requests} of ${effort.memoryRequests} requests`);
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
