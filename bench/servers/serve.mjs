import { createServer } from 'node:http';
import { answerParent } from '../lib/rpc.mjs';

/**
 * Runs a server under test: starts it on request, and reports its CPU and memory.
 *
 * @param {(params: any, server: import('node:http').Server) => Promise<{ close(): unknown }>} build
 *   attaches the service to the server
 */
export function serve(build) {
  // The setting of this project's services and of most others, the same for all servers under test.
  const server = createServer({ keepAliveTimeout: 65_000 });
  let built;
  answerParent({
    async start(params) {
      built = await build(params, server);
      await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
      const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
      return `http://127.0.0.1:${port}`;
    },
    /** Returns the CPU use of the process: event loop, and threads of garbage collection, compiler and file access. */
    usage() {
      const { user, system } = process.cpuUsage();
      return { cpuMs: (user + system) / 1000, systemMs: system / 1000, at: performance.now() };
    },
    /** Returns the memory after a full garbage collection. Bytes. */
    memory() {
      globalThis.gc?.();
      const { rss, heapUsed, external } = process.memoryUsage();
      return { rss, heap: heapUsed + external };
    },
    async stop() {
      server.close();
      server.closeAllConnections();
      await built.close();
    },
  });
}
