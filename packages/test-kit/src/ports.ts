import { createServer } from 'node:net';

/** Below the ports that systems assign themselves: from 32,768 on Linux, from 49,152 elsewhere. */
const MIN_PORT = 16_384;
const MAX_PORT = 32_767;
const PORT_RANGES = 8;
let lastPort: number | undefined;

/**
 * Finds a port on 127.0.0.1 that nothing listens on, and that the system does not assign itself. So a test can release the
 * port and take it again later, and no other process uses it meanwhile.
 */
export async function findFreePort(): Promise<number> {
  const { from, count } = getWorkerPortRange();
  for (let tries = 0; tries < count; tries++) {
    // Ports are tried in sequence from a random start, so that a port that is not in use yet is not chosen twice.
    const port =
      lastPort === undefined ? from + Math.floor(Math.random() * count) : from + ((lastPort + 1 - from) % count);
    lastPort = port; // set before the check, because other callers may run meanwhile
    if (await isPortFree(port)) return port;
  }
  throw new Error(`no port from ${from} on is free`);
}

/** The ports of this process. Jest's workers run test files in parallel, so each worker has its own range. */
function getWorkerPortRange(): { readonly from: number; readonly count: number } {
  const count = Math.floor((MAX_PORT - MIN_PORT + 1) / PORT_RANGES);
  return { from: MIN_PORT + (Number(process.env['JEST_WORKER_ID'] ?? 0) % PORT_RANGES) * count, count };
}

function isPortFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
