import { createServer } from 'node:net';

/** Below what systems hand out by themselves: from 32,768 on Linux, from 49,152 elsewhere. */
const LOWEST = 16_384;
const HIGHEST = 32_767;
const PARTS = 8;
let last: number | undefined;

/**
 * A port on 127.0.0.1 that nothing listens on, and that the system gives to nobody who asks for any: it can be left for a
 * while and taken again, and meanwhile nobody is there.
 */
export async function freePort(): Promise<number> {
  const { from, count } = ownRange();
  for (let tries = 0; tries < count; tries++) {
    // One after the other, from anywhere, so that what is chosen and not taken yet is not chosen again.
    const port = last === undefined ? from + Math.floor(Math.random() * count) : from + ((last + 1 - from) % count);
    last = port; // at once: others may ask meanwhile
    if (await isFree(port)) return port;
  }
  throw new Error(`no port from ${from} on is free`);
}

/** Suites run beside each other in Jest's workers: each chooses from a part of its own. */
function ownRange(): { readonly from: number; readonly count: number } {
  const count = Math.floor((HIGHEST - LOWEST + 1) / PARTS);
  return { from: LOWEST + (Number(process.env['JEST_WORKER_ID'] ?? 0) % PARTS) * count, count };
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
