import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { TooManyRequestsError } from '@messagebox/shared';
import { boundInFlight } from '@messagebox/web';
import express, { type ErrorRequestHandler } from 'express';
import { Wire } from './raw-client.ts';

/** Half a gigabyte of uploads is much for a test, so the bound itself is shown with small numbers. */
const limits = { requests: 5, bodyBytes: 10_000, largestBody: 4_000 };

let port: number;
let read: string[];
let wires: Wire[];
let close: () => Promise<void>;
beforeEach(async () => {
  [read, wires] = [[], []];
  const app = express();
  app.set('trust proxy', 1);
  app.use(boundInFlight(limits));
  app.use((request, response) => {
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
    });
    request.on('end', () => {
      read.push(`${bytes}`);
      response.json({ bytes });
    });
  });
  const refuse: ErrorRequestHandler = (error, _request, response, _next) => {
    response.status(error instanceof TooManyRequestsError ? 429 : 500).json({});
  };
  app.use(refuse);
  const server = createServer(app).listen(0, '127.0.0.1');
  await once(server, 'listening');
  port = (server.address() as AddressInfo).port;
  close = async () => {
    for (const wire of wires) wire.destroy();
    server.close();
    await once(server, 'close');
  };
});
afterEach(() => close());

/** Announces a body and sends a part of it; resolves when the server has that part. */
async function upload(announced: number, sent: number, address = '192.0.2.1'): Promise<Wire> {
  const wire = await Wire.to(port);
  wires.push(wire);
  wire.write(
    `POST / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: ${address}\r\nContent-Length: ${announced}\r\n\r\n${'b'.repeat(sent)}`,
  );
  return wire;
}

test('what is announced and not sent uses nothing up', async () => {
  for (let i = 0; i < 4; i++) await upload(4_000, 1);
  const wire = await upload(4_000, 4_000);
  expect((await wire.answer()).status).toBe(200);
});

test('what has arrived is bounded; who comes above it is refused and ended, and the others go on', async () => {
  const first = await upload(4_000, 3_999);
  const second = await upload(4_000, 3_999);
  const third = await upload(4_000, 4_000);
  // Whose bytes come last, is the network's affair.
  const refused = await Promise.race(
    [first, second, third].map(async (wire) => ({ wire, answer: await wire.answer() })),
  );
  expect(refused.answer.status).toBe(429);
  expect(refused.answer.headers['connection']).toBe('close');
  await refused.wire.ended;
  expect(read).toEqual([]);
  for (const wire of [first, second]) if (wire !== refused.wire) wire.write('b');
  for (const wire of [first, second]) if (wire !== refused.wire) expect((await wire.answer()).status).toBe(200);
});

test('what was held is given back, whether a request was answered or cut off', async () => {
  for (let i = 0; i < 10; i++) {
    const wire = await upload(4_000, 4_000);
    expect((await wire.answer()).status).toBe(200);
    const cut = await upload(4_000, 3_000);
    cut.destroy();
    await cut.ended;
  }
  const wire = await upload(4_000, 4_000);
  expect((await wire.answer()).status).toBe(200);
});

test('so many requests at once, and no more', async () => {
  for (let i = 0; i < limits.requests; i++) await upload(10, 1);
  const wire = await upload(1, 1);
  expect((await wire.answer()).status).toBe(429);
  wires[0]?.write('b'.repeat(9));
  expect((await wires[0]?.answer())?.status).toBe(200);
  const next = await upload(1, 1);
  expect((await next.answer()).status).toBe(200);
});

test('an address that uses every place makes room for another: its oldest unfinished request is ended', async () => {
  for (let i = 0; i < limits.requests; i++) await upload(10, 1, '192.0.2.1');
  const newcomer = await upload(1, 1, '192.0.2.2');
  expect((await newcomer.answer()).status).toBe(200);
  const oldest = wires[0] as Wire;
  expect((await oldest.answer()).status).toBe(429);
  await oldest.ended;
  wires[1]?.write('b'.repeat(9));
  expect((await wires[1]?.answer())?.status).toBe(200);
});

test('an address whose bodies use up all memory makes room for another', async () => {
  const first = await upload(4_000, 3_999, '192.0.2.1');
  await upload(4_000, 3_999, '192.0.2.1');
  const newcomer = await upload(4_000, 4_000, '192.0.2.2');
  expect((await newcomer.answer()).status).toBe(200);
  expect((await first.answer()).status).toBe(429);
  await first.ended;
});
