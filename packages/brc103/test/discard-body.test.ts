import { once } from 'node:events';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { discardBody } from '../src/http/request-body.js';

const MEBIBYTE = 1_048_576;

/** Sends a body to a server that discards it. @returns the pauses between its parts, and what the server saw */
async function discard(bytes: number): Promise<{ pauses: number[]; outcome: string; status: number | undefined }> {
  const pauses: number[] = [];
  let outcome = '';
  const server = createServer(async (req, res) => {
    outcome = await discardBody(req, undefined, async (ms) => void pauses.push(ms));
    res.writeHead(413).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    const { port } = server.address() as AddressInfo;
    const sent = request({ port, host: '127.0.0.1', method: 'POST', headers: { 'content-length': bytes } });
    sent.end(Buffer.alloc(bytes));
    const [response] = await once(sent, 'response');
    response.resume();
    await once(response, 'end');
    return { pauses, outcome, status: response.statusCode };
  } finally {
    server.close();
  }
}

test('a large refused body is read at 4 MB per second, and its client gets the answer', async () => {
  const { pauses, outcome, status } = await discard(8 * MEBIBYTE);
  expect({ outcome, status }).toEqual({ outcome: 'drained', status: 413 });
  // 64 ms after each 256 KB or a little more.
  expect(new Set(pauses)).toEqual(new Set([64]));
  expect(pauses.length).toBeGreaterThan(15);
  expect(pauses.length).toBeLessThanOrEqual(32);
});

test('a small refused body is read at once', async () => {
  expect(await discard(100_000)).toEqual({ pauses: [], outcome: 'drained', status: 413 });
});
