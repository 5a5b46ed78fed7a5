// For `node --import`: a service answers its parent's questions about its own process (see rpc.mjs).
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { getHeapSpaceStatistics, writeHeapSnapshot } from 'node:v8';
import { answerParent } from './rpc.mjs';

const delay = monitorEventLoopDelay({ resolution: 10 });
delay.enable();

answerParent({
  /** Returns the memory as it is, without a collection before. Bytes. */
  rss: () => process.memoryUsage.rss(),

  /** Returns the memory after a full garbage collection. Bytes. */
  memory() {
    globalThis.gc?.();
    const { rss, heapUsed, external, arrayBuffers } = process.memoryUsage();
    const spaces = Object.fromEntries(
      getHeapSpaceStatistics().map(({ space_name: name, physical_space_size: held }) => [name, held]),
    );
    return { rss, heapUsed, external, arrayBuffers, spaces };
  },

  usage() {
    const { user, system } = process.cpuUsage();
    return { cpuMs: (user + system) / 1000, at: performance.now() };
  },

  /** Returns the number of open handles, sockets and timers, by kind. */
  handles() {
    /** @type {Record<string, number>} */
    const counts = {};
    for (const kind of process.getActiveResourcesInfo()) counts[kind] = (counts[kind] ?? 0) + 1;
    return counts;
  },

  /** Returns the delay of the event loop since the last call. Milliseconds. */
  lag() {
    const found = { p99: delay.percentile(99) / 1e6, max: delay.max / 1e6 };
    delay.reset();
    return found;
  },

  /** Writes a heap snapshot, which stops the process meanwhile. @param {string} file */
  snapshot: (file) => writeHeapSnapshot(file),
});
// The channel alone must not keep a service alive that has closed everything else.
process.channel?.unref();
