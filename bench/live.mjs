import { median, medians, ratioRange } from './lib/numbers.mjs';

const IDLE = 1_000;
/** How many messages are in progress so that the server is never idle. */
const SATURATED = 8;
const NUMBERS = /** @type {const} */ (['cpuMs', 'perSecond', 'loadCpuShare', 'p50', 'p95', 'p99']);

/**
 * Measures live sends from one socket to another, alternately without and with many idle sockets on the same server.
 *
 * @param {import('./bench.mjs').Bench} bench
 */
export async function measureLive(bench, database) {
  const { effort, say } = bench;
  const load = bench.process('load/socket-load.mjs');
  const { process, url } = await bench.server('servers/ours-realtime.mjs', database);
  await load.call('connectPair', { url });
  say('Live: warming up');
  await load.call('run', { seconds: effort.liveWarmUpSeconds, inFlight: SATURATED }, 120);
  // The first opening warms up the code. Only this one increases RSS, because later ones reuse the memory that it frees.
  const { rss } = await process.call('memory');
  await load.call('openIdle', { url, count: IDLE }, 120);
  const rssBytes = ((await process.call('memory')).rss - rss) / IDLE;
  await load.call('closeIdle');
  await load.call('run', { seconds: 0.5, inFlight: 1 }, 120);

  /** @type {Record<'alone' | 'crowded', Awaited<ReturnType<typeof measureDeliveries>>[]>} */
  const rounds = { alone: [], crowded: [] };
  const sockets = [];
  let quiet;
  for (let round = 1; round <= effort.liveRounds; round++) {
    say(`Live: round ${round} of ${effort.liveRounds}, no idle sockets`);
    rounds.alone.push(await measureDeliveries());

    say(`Live: round ${round} of ${effort.liveRounds}, opening ${IDLE} idle sockets`);
    const empty = await process.call('memory');
    const before = await process.call('usage');
    await load.call('openIdle', { url, count: IDLE }, 120);
    const after = await process.call('usage');
    const full = await process.call('memory');
    sockets.push({
      heapBytes: (full.heap - empty.heap) / IDLE,
      openingCpuMs: (after.cpuMs - before.cpuMs) / IDLE,
    });
    say(`Live: round ${round} of ${effort.liveRounds}, ${IDLE} idle sockets`);
    rounds.crowded.push(await measureDeliveries());
    if (round === effort.liveRounds && effort.quietSeconds > 0) quiet = await measureQuiet();
    const { connected } = await load.call('idleState');
    if (connected !== IDLE) throw new Error(`Only ${connected} of ${IDLE} idle sockets are still connected`);
    await load.call('closeIdle');
    // The server must close the sockets before the next window begins.
    await load.call('run', { seconds: 0.5, inFlight: 1 }, 120);
  }
  await process.call('stop');
  await process.stop();
  await load.stop();

  const alone = { ...medians(rounds.alone, NUMBERS), rounds: rounds.alone };
  const crowded = { ...medians(rounds.crowded, NUMBERS), rounds: rounds.crowded };
  return {
    idleSockets: IDLE,
    inFlight: SATURATED,
    alone,
    crowded,
    cpuRatio: crowded.cpuMs / alone.cpuMs,
    cpuRatioRange: ratioRange(rounds.crowded, rounds.alone),
    /** The ratio without the cost of pings, which is the same with and without deliveries. */
    cpuRatioWithoutPings: quiet && withoutPings(rounds.crowded, quiet) / alone.cpuMs,
    quiet,
    socket: { rssBytes, ...medians(sockets, ['heapBytes', 'openingCpuMs']), rounds: sockets },
  };

  /** Measures CPU and throughput of a busy server, and then the latency of one message at a time. */
  async function measureDeliveries() {
    const pingsBefore = (await load.call('idleState')).pings;
    const before = await process.call('usage');
    const busy = await load.call('run', { seconds: effort.liveSeconds, inFlight: SATURATED }, 120);
    const after = await process.call('usage');
    const pings = (await load.call('idleState')).pings - pingsBefore;
    const single = await load.call('run', { seconds: effort.liveSeconds / 2, inFlight: 1 }, 120);
    const { count, perSecond, loadCpuShare } = busy;
    const { p50, p95, p99 } = single;
    const totalCpuMs = after.cpuMs - before.cpuMs;
    return { count, perSecond, loadCpuShare, totalCpuMs, cpuMs: totalCpuMs / count, pings, p50, p95, p99 };
  }

  /** Measures a whole ping interval (25 s) without deliveries, in which every idle socket is pinged once. */
  async function measureQuiet() {
    say(`Live: ${IDLE} idle sockets and no deliveries, for ${effort.quietSeconds} s`);
    const pingsBefore = (await load.call('idleState')).pings;
    const before = await process.call('usage');
    await new Promise((resolve) => setTimeout(resolve, effort.quietSeconds * 1000));
    const after = await process.call('usage');
    const pings = (await load.call('idleState')).pings - pingsBefore;
    const cpuMs = after.cpuMs - before.cpuMs;
    return { seconds: (after.at - before.at) / 1000, cpuMs, pings, cpuMsPerPing: cpuMs / pings };
  }
}

function withoutPings(rounds, { cpuMsPerPing }) {
  return median(rounds.map(({ totalCpuMs, pings, count }) => (totalCpuMs - pings * cpuMsPerPing) / count));
}
