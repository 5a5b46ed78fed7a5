import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { limitInFlightRequests, TooManyRequestsError } from '@messagebox/shared';
import { RawConnection } from '@messagebox/test-support/raw-client';
import express, { type ErrorRequestHandler } from 'express';

/** Half a gigabyte of uploads is much for a test, so the bound itself is shown with small numbers. */
const limits = { requests: 5, bodyBytes: 10_000, maxBodyBytes: 4_000 };

let port: number;
let read: string[];
let wires: RawConnection[];
let close: () => Promise<void>;
beforeEach(async () => {
  [read, wires] = [[], []];
  const app = express();
  app.set('trust proxy', 1);
  app.use(limitInFlightRequests(limits));
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
async function upload(announced: number, sent: number, address = '192.0.2.1'): Promise<RawConnection> {
  const wire = await RawConnection.to(port);
  wires.push(wire);
  wire.write(
    `POST / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: ${address}\r\nContent-Length: ${announced}\r\n\r\n${'b'.repeat(sent)}`,
  );
  return wire;
}

test('announced bytes that are not sent use no memory', async () => {
  for (let i = 0; i < 4; i++) await upload(4_000, 1);
  const wire = await upload(4_000, 4_000);
  expect((await wire.answer()).status).toBe(200);
});

test('limits the bytes that have arrived, and refuses only the request that exceeds the limit', async () => {
  const first = await upload(4_000, 3_999);
  const second = await upload(4_000, 3_999);
  const third = await upload(4_000, 4_000);
  // The network decides whose bytes come last.
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

test('releases memory after an answer and after a lost connection', async () => {
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

test('limits the number of requests at once', async () => {
  for (let i = 0; i < limits.requests; i++) await upload(10, 1);
  const wire = await upload(1, 1);
  expect((await wire.answer()).status).toBe(429);
  wires[0]?.write('b'.repeat(9));
  expect((await wires[0]?.answer())?.status).toBe(200);
  const next = await upload(1, 1);
  expect((await next.answer()).status).toBe(200);
});

test('ends the oldest unfinished request of an address that uses every place when another address needs one', async () => {
  for (let i = 0; i < limits.requests; i++) await upload(10, 1, '192.0.2.1');
  const newcomer = await upload(1, 1, '192.0.2.2');
  expect((await newcomer.answer()).status).toBe(200);
  const oldest = wires[0] as RawConnection;
  expect((await oldest.answer()).status).toBe(429);
  await oldest.ended;
  wires[1]?.write('b'.repeat(9));
  expect((await wires[1]?.answer())?.status).toBe(200);
});

test('frees memory of an address that uses all of it when another address needs some', async () => {
  const first = await upload(4_000, 3_999, '192.0.2.1');
  await upload(4_000, 3_999, '192.0.2.1');
  const newcomer = await upload(4_000, 4_000, '192.0.2.2');
  expect((await newcomer.answer()).status).toBe(200);
  expect((await first.answer()).status).toBe(429);
  await first.ended;
});
