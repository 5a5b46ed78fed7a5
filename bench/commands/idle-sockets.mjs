import { mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { requireServers } from './command.mjs';

const GOAL_MB = 320;
const LOAD_PROCESSES = 4;
/** Longer than a ping interval (25 s), so that each socket has been pinged. */
const SETTLE_SECONDS = 40;

/** @type {import('./command.mjs').Command} */
export const idleSockets = {
  name: 'idle-sockets',
  usage: `npm run bench -- idle-sockets [--sockets=10000] [--snapshot=1]

Opens so many sockets at one realtime service with MySQL and Redis, each of another identity, authenticated and in a room of
its own, and reports the memory of that service. TEST_MYSQL_URL and TEST_REDIS_URL name the servers.

  --sockets=N   1 to 50000
  --snapshot=1  also writes a heap snapshot to bench/results
`,
  numbers: { sockets: { default: 10_000, min: 1, max: 50_000 }, snapshot: { default: 0, min: 0, max: 1 } },

  async measure(bench, { sockets, snapshot }) {
    const servers = requireServers();
    const database = await bench.mysql(servers.mysql);
    await bench.migrate(database);
    const { process, url } = await bench.service('realtime', database, {
      ...bench.redis(servers.redis),
      MAX_SOCKETS_PER_ADDRESS: String(sockets + 1_000),
    });
    const loads = Array.from({ length: LOAD_PROCESSES }, () => bench.process('load/socket-load.mjs'));
    await warmUp(bench, loads, url);
    const before = await process.call('memory');
    const usageBefore = await process.call('usage');
    let peakRss = 0;
    const watch = setInterval(async () => {
      peakRss = Math.max(peakRss, await process.call('rss').catch(() => 0));
    }, 500);
    try {
      bench.say(`Opening ${sockets} sockets from ${loads.length} processes`);
      await openIdle(loads, url, sockets);
      const usageOpened = await process.call('usage');
      bench.say(`Waiting ${SETTLE_SECONDS} s, in which each socket is pinged`);
      await new Promise((done) => setTimeout(done, SETTLE_SECONDS * 1000));
      const settledRss = await process.call('rss');
      clearInterval(watch);
      const usageSettled = await process.call('usage');
      const after = await process.call('memory');
      const states = await Promise.all(loads.map((load) => load.call('idleState')));
      const connected = states.reduce((sum, state) => sum + state.connected, 0);
      if (connected !== sockets) throw new Error(`Only ${connected} of ${sockets} sockets are still connected`);
      const file = snapshot === 1 ? await writeSnapshot(process) : undefined;
      return {
        before,
        after,
        peakRss,
        settledRss,
        openingCpuMs: (usageOpened.cpuMs - usageBefore.cpuMs) / sockets,
        idleCpuShare: (usageSettled.cpuMs - usageOpened.cpuMs) / (usageSettled.at - usageOpened.at),
        pings: states.reduce((sum, state) => sum + state.pings, 0),
        handles: await process.call('handles'),
        snapshot: file,
      };
    } finally {
      clearInterval(watch);
    }
  },

  format({ options, before, after, peakRss, settledRss, openingCpuMs, idleCpuShare, snapshot }) {
    const each = (/** @type {'rss' | 'heapUsed' | 'external'} */ name) =>
      `${((after[name] - before[name]) / options.sockets / 1024).toFixed(1)} KB`;
    return [
      `${options.sockets} idle authenticated sockets on one realtime, each in a room of its own`,
      `  RSS before any socket   ${mb(before.rss)} MB`,
      `  highest RSS             ${mb(peakRss)} MB, while the sockets were opened and after`,
      `  RSS when idle           ${mb(settledRss)} MB (goal for 10,000: at most ${GOAL_MB} MB)`,
      `  RSS after a collection  ${mb(after.rss)} MB, of it heap ${mb(after.heapUsed)} MB, external ${mb(after.external)} MB`,
      `  each socket             ${each('rss')} of RSS, ${each('heapUsed')} of heap, ${each('external')} external`,
      `  CPU                     ${openingCpuMs.toFixed(2)} ms to open a socket; ${(idleCpuShare * 100).toFixed(1)} % of a core when idle`,
      ...(snapshot === undefined ? [] : [`  heap snapshot           ${snapshot}`]),
    ].join('\n');
  },
};

/** A first round warms up the code of the server. */
async function warmUp(bench, loads, url) {
  bench.say('Warming up with 200 sockets');
  await openIdle(loads, url, 200);
  await Promise.all(loads.map((load) => load.call('closeIdle')));
  await new Promise((done) => setTimeout(done, 1_000));
}

async function openIdle(loads, url, sockets) {
  await Promise.all(
    loads.map((load, i) => {
      const count = Math.floor((sockets * (i + 1)) / loads.length) - Math.floor((sockets * i) / loads.length);
      return load.call('openIdle', { url, count }, 900);
    }),
  );
}

async function writeSnapshot(process) {
  const folder = fileURLToPath(new URL('../results/', import.meta.url));
  mkdirSync(folder, { recursive: true });
  return process.call('snapshot', resolve(folder, 'idle-sockets.heapsnapshot'), 600);
}

const mb = (/** @type {number} */ bytes) => (bytes / 1024 / 1024).toFixed(0);
