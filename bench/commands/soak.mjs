import { formatTable } from '../lib/format-table.mjs';
import { slope } from '../lib/numbers.mjs';
import { openRedis } from '../lib/redis.mjs';
import { requireServers } from './command.mjs';

const LANES = 32;
const SAMPLE_MS = 10_000;
/** Caches fill in the first part, which is not a leak. */
const SETTLING_SHARE = 0.2;
const MS_PER_HOUR = 3_600_000;

/** @type {import('./command.mjs').Command} */
export const soak = {
  name: 'soak',
  usage: `npm run bench -- soak [--minutes=30] [--rate=N]

Runs one api and one realtime service with MySQL and Redis under a steady load: messages are sent over HTTP, pushed to a
socket, and acknowledged. Every 10 s the memory after a full collection, handles and delays are read. Reports their slopes.
TEST_MYSQL_URL and TEST_REDIS_URL name the servers.

  --minutes=N  of steady load, 1 to 1440
  --rate=N     messages a second, up to 10000. Default (0): half of what is reached in the first minute
`,
  numbers: { minutes: { default: 30, min: 1, max: 1_440 }, rate: { default: 0, min: 0, max: 10_000 } },

  async measure(bench, { minutes, rate }) {
    const servers = requireServers();
    const database = await bench.mysql(servers.mysql);
    await bench.migrate(database);
    const shared = bench.redis(servers.redis);
    const api = await bench.service('api', database, shared);
    const realtime = await bench.service('realtime', database, shared);
    const load = bench.process('load/steady-load.mjs');
    const redis = openRedis(servers.redis);
    try {
      await load.call('open', { apiUrl: api.url, realtimeUrl: realtime.url, count: LANES });
      const capacitySeconds = Math.min(60, minutes * 20);
      bench.say(`Measuring the capacity for ${capacitySeconds} s`);
      const capacity = await load.call('measureCapacity', { seconds: capacitySeconds }, capacitySeconds + 60);
      const perSecond = rate > 0 ? rate : capacity / 2;
      bench.say(`${perSecond.toFixed(0)} messages a second for ${minutes} minutes (capacity: ${capacity.toFixed(0)})`);
      const usage = await readUsage(api.process, realtime.process);
      await load.call('begin', { perSecond });
      const samples = [];
      const start = performance.now();
      while (performance.now() - start < minutes * 60_000) {
        await new Promise((done) => setTimeout(done, SAMPLE_MS));
        const sample = await takeSample(performance.now() - start, api.process, realtime.process, load, redis);
        samples.push(sample);
        if (samples.length % 6 === 0) bench.say(describe(sample));
      }
      const usageAfter = await readUsage(api.process, realtime.process);
      await load.call('end', undefined, 120);
      return {
        capacity,
        perSecond,
        samples,
        slopes: findSlopes(samples),
        cpu: toCpu(usage, usageAfter),
        end: await load.call('state'),
      };
    } finally {
      redis.disconnect();
    }
  },

  format({ options, capacity, perSecond, samples, slopes, cpu, end }) {
    const first = samples[Math.floor(samples.length * SETTLING_SHARE)].values;
    const last = samples.at(-1).values;
    const errors = Object.entries(end.errors);
    return [
      `${options.minutes} minutes at ${perSecond.toFixed(0)} messages a second (capacity: ${capacity.toFixed(0)}), ${samples.length} samples`,
      `sent ${end.sent}, pushed ${end.pushed}, twice ${end.twice}, acknowledged ${end.acknowledged}, errors ${errors.reduce((sum, [, count]) => sum + count, 0)}`,
      ...errors.map(([text, count]) => `  ${count} x ${text}`),
      `CPU: api ${(cpu.api * 100).toFixed(0)} % of a core, realtime ${(cpu.realtime * 100).toFixed(0)} %`,
      `slopes without the first ${SETTLING_SHARE * 100} %`,
      ...formatTable([
        ['', 'first', 'last', 'slope per hour'],
        ...Object.entries(slopes).map(([name, perHour]) => [
          name,
          first[name].toFixed(1),
          last[name].toFixed(1),
          perHour.toFixed(2),
        ]),
      ]),
    ].join('\n');
  },
};

async function takeSample(ms, api, realtime, load, redis) {
  const [apiValues, realtimeValues, state, info] = await Promise.all([
    readProcess(api),
    readProcess(realtime),
    load.call('state'),
    redis.info('memory'),
  ]);
  const named = (/** @type {string} */ service, /** @type {Record<string, number>} */ values) =>
    Object.entries(values).map(([name, value]) => [`${service}: ${name}`, value]);
  return {
    ms,
    values: Object.fromEntries([
      ...named('api', apiValues),
      ...named('realtime', realtimeValues),
      ['Redis memory, MB (all of the server)', Number(/used_memory:(\d+)/.exec(info)?.[1]) / 1024 / 1024],
      ['messages that wait for their turn', state.waiting],
    ]),
    errors: state.errors,
  };
}

async function readProcess(process) {
  // Before the collection, whose pause is not the service's.
  const { p99, max } = await process.call('lag');
  const handles = Object.values(await process.call('handles')).reduce((sum, count) => sum + count, 0);
  const { rss, heapUsed, external } = await process.call('memory');
  await process.call('lag');
  const mb = (/** @type {number} */ bytes) => bytes / 1024 / 1024;
  return {
    'RSS, MB': mb(rss),
    'heap, MB': mb(heapUsed),
    'external, MB': mb(external),
    handles,
    'event loop delay, p99 ms': p99,
    'event loop delay, longest ms': max,
  };
}

async function readUsage(api, realtime) {
  return { api: await api.call('usage'), realtime: await realtime.call('usage') };
}

function toCpu(before, after) {
  const share = (/** @type {'api' | 'realtime'} */ name) =>
    (after[name].cpuMs - before[name].cpuMs) / (after[name].at - before[name].at);
  return { api: share('api'), realtime: share('realtime') };
}

function findSlopes(samples) {
  const settled = samples.slice(Math.floor(samples.length * SETTLING_SHARE));
  return Object.fromEntries(
    Object.keys(settled[0].values).map((name) => [
      name,
      slope(settled.map(({ ms, values }) => ({ x: ms / MS_PER_HOUR, y: values[name] }))),
    ]),
  );
}

function describe({ values, errors }) {
  const failed = Object.values(errors).reduce((sum, count) => sum + count, 0);
  return `api ${values['api: RSS, MB'].toFixed(0)} MB, realtime ${values['realtime: RSS, MB'].toFixed(0)} MB, ${failed} errors`;
}
