import { createServer } from 'node:http';
import { answerParent } from '../lib/rpc.mjs';

/**
 * The outside of a server under test: starts it when told to, and tells what it has used.
 *
 * @param {(params: any, server: import('node:http').Server) => Promise<{ close(): unknown }>} build
 *   puts the service on the server
 */
export function serve(build) {
  // As our services and most others have it; the same for all sides.
  const server = createServer({ keepAliveTimeout: 65_000 });
  let built;
  answerParent({
    async start(params) {
      built = await build(params, server);
      await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
      const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
      return `http://127.0.0.1:${port}`;
    },
    /** CPU of the whole process so far: the event loop, and the threads of garbage collection, compiler and file access. */
    usage() {
      const { user, system } = process.cpuUsage();
      return { cpuMs: (user + system) / 1000, systemMs: system / 1000, at: performance.now() };
    },
    /** Bytes, right after a full collection. */
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
