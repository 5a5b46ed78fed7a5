import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { createApi } from '@messagebox/api';
import {
  createLogger,
  createServiceContext,
  DEFAULT_MIN_UPLOAD_PACE,
  JsonServer,
  openOverlayJobQueue,
  readConfig,
  type ServiceContext,
} from '@messagebox/shared';
import { createTemporaryFolder } from '@messagebox/test-support/managed-process';
import {
  type Answer,
  encodeRequest,
  RawClient,
  RawConnection,
  type Session,
  sendRaw,
  type WireRequest,
  withHeader,
} from '@messagebox/test-support/raw-client';
import { attachSocketIo, createSocketIo } from '../../services/realtime/src/sockets/socket-io.ts';
import { openAdmission } from '../../services/realtime/test/support/open-admission.ts';
import { createUniqueId } from './refusals.ts';

const PACE = DEFAULT_MIN_UPLOAD_PACE.minBytesPerSecond;
const GRACE_SECONDS = DEFAULT_MIN_UPLOAD_PACE.graceMs / 1_000;
const BODY_BYTES = 2_000_000;

/** The server's clock, which goes on when the test says so. */
const clock = {
  ms: 0,
  looks: 0,
  /** Lets time pass until the server has looked at its clock since, or until it has ended the connection. */
  async pass(seconds: number, wire: RawConnection): Promise<void> {
    clock.ms += seconds * 1_000;
    const { looks } = clock;
    while (clock.looks === looks && !wire.isOver) await new Promise(setImmediate);
  },
};

/** The api on SQLite, and socket.io beside it. */
let server: JsonServer;
let foundation: ServiceContext;
let io: ReturnType<typeof createSocketIo>;
let port: number;
let session: Session;
const wires: RawConnection[] = [];
const folder = createTemporaryFolder();

beforeAll(async () => {
  const config = readConfig({
    NODE_ENV: 'test',
    DATA_DIR: folder.path,
    SERVER_PRIVATE_KEY: randomBytes(32).toString('hex'),
    SHUTDOWN_GRACE_SECONDS: '2',
  });
  const logger = createLogger('api', 'info', { write: () => undefined });
  const embedded = { client: 'better-sqlite3' as const, filename: join(folder.path, 'messagebox.sqlite') };
  foundation = await createServiceContext(config, logger, { service: 'api', embedded });
  await foundation.store.migrate();
  const jobs = openOverlayJobQueue(foundation);
  foundation.shutdown.add('jobs', () => jobs.close());
  const api = createApi({ ...foundation, events: { publish: () => undefined }, jobs });
  const now = () => {
    clock.looks += 1;
    return clock.ms;
  };
  server = new JsonServer(api, logger, { uploadCheckIntervalMs: 1, now });
  io = createSocketIo(foundation.broker, BODY_BYTES * 2);
  attachSocketIo(io, server, { routingPrefix: '', admission: openAdmission(), isDraining: () => false });
  port = Number(new URL(await server.listen(0, '127.0.0.1')).port);
  session = await new RawClient().shakeHands(port);
});
afterEach(() => {
  for (const wire of wires.splice(0)) wire.destroy();
});
afterAll(async () => {
  io.engine.close();
  await server.close(500);
  await foundation.shutdown.close();
  folder.remove();
});

/** A connection, and the server's end of it. */
async function connect(): Promise<{ wire: RawConnection; received(bytes: number): Promise<void> }> {
  const accepted = once(server.http, 'connection') as Promise<[Socket]>;
  const wire = await RawConnection.to(port);
  wires.push(wire);
  const [socket] = await accepted;
  return {
    wire,
    async received(bytes) {
      while (socket.bytesRead < bytes && !socket.destroyed) await new Promise(setImmediate);
    },
  };
}

/**
 * Sends the headers of a request, and then so many bytes of its body each second, until all is sent or the server has
 * ended the connection.
 *
 * @returns the connection, and the seconds that have passed on the server's clock
 */
async function upload(request: WireRequest, bytesPerSecond: number): Promise<{ wire: RawConnection; seconds: number }> {
  const bytes = encodeRequest(request);
  const headBytes = bytes.length - (request.body?.length ?? 0);
  const { wire, received } = await connect();
  wire.write(bytes.subarray(0, headBytes));
  await received(headBytes);
  let seconds = 0;
  for (let at = headBytes; at < bytes.length && !wire.isOver; seconds += 1) {
    const end = Math.min(bytes.length, at + bytesPerSecond);
    wire.write(bytes.subarray(at, end));
    await received(end);
    at = end;
    if (at < bytes.length) await clock.pass(1, wire);
  }
  return { wire, seconds };
}

const message = (messageId = createUniqueId(), body = 'b'.repeat(BODY_BYTES)) => ({
  message: { recipient: session.client.identityKey, messageBox: 'inbox', messageId, body },
});
const send = (messageId?: string) => session.post('/sendMessage', message(messageId));

async function storedIds(): Promise<string[]> {
  const { text } = await sendRaw(port, session.post('/listMessages', { messageBox: 'inbox' }));
  return (JSON.parse(text) as { messages: { messageId: string }[] }).messages.map(({ messageId }) => messageId);
}

function expectTooSlow(answer: Answer): void {
  expect(answer).toMatchObject({ status: 408, headers: { connection: 'close' } });
  expect(answer.headers['content-type']).toMatch(/^application\/json/);
  expect(JSON.parse(answer.text)).toEqual({
    status: 'error',
    code: 'ERR_BAD_REQUEST',
    description: 'The request took too long to arrive.',
  });
}

test('accepts a signed send at the minimum pace, however long it takes', async () => {
  const messageId = createUniqueId();
  const { wire, seconds } = await upload(send(messageId), PACE);
  expect(seconds).toBeGreaterThan(120);
  expect(await wire.answer()).toMatchObject({ status: 200 });
  expect(await storedIds()).toContain(messageId);
});

test('answers a slower send with 408 in JSON, and stores nothing', async () => {
  const before = await storedIds();
  const { wire, seconds } = await upload(send(), PACE / 2);
  expectTooSlow(await wire.answer());
  await wire.ended;
  // The grace is used up by half a second in each second.
  expect(seconds).toBeGreaterThanOrEqual(GRACE_SECONDS * 2);
  expect(seconds).toBeLessThanOrEqual(GRACE_SECONDS * 2 + 2);
  expect(await storedIds()).toEqual(before);
});

test.each<[string, () => WireRequest]>([
  ['a handshake', () => ({ method: 'POST', path: '/.well-known/auth', headers: [], body: Buffer.alloc(200, ' ') })],
  ['a request without authentication', () => ({ method: 'POST', path: '/none', headers: [], body: Buffer.alloc(200) })],
  ['the key of a migration', () => ({ method: 'POST', path: '/migrate', headers: [], body: Buffer.alloc(200) })],
  ['a signed send', () => session.post('/sendMessage', message(createUniqueId(), 'b'))],
  [
    'a signed send that offers HTTP/2',
    () => {
      const request = session.post('/sendMessage', message(createUniqueId(), 'b'));
      return { ...request, headers: [['Connection', 'Upgrade'], ['Upgrade', 'h2c'], ...request.headers] };
    },
  ],
])('%s that stalls is ended after the grace', async (_name, request) => {
  const bytes = encodeRequest(request());
  const { wire, received } = await connect();
  wire.write(bytes.subarray(0, -10));
  await received(bytes.length - 10);
  await clock.pass(GRACE_SECONDS, wire);
  expect(wire.isOver).toBe(false);
  await clock.pass(1, wire);
  const answer = await wire.answer();
  // Without authentication it is refused for that, as soon as its rest has been waited for.
  if (answer.status !== 401) expectTooSlow(answer);
  await wire.ended;
});

test('a client that sent fast at first has only the grace period left', async () => {
  const bytes = encodeRequest(send());
  const { wire, received } = await connect();
  wire.write(bytes.subarray(0, -10));
  await received(bytes.length - 10);
  await clock.pass(1, wire);
  await clock.pass(GRACE_SECONDS + 1, wire);
  expectTooSlow(await wire.answer());
});

test('chunked uploads need the same pace', async () => {
  const request = withHeader(send(), 'transfer-encoding', 'chunked');
  const head = encodeRequest({ ...request, body: undefined });
  const { wire, received } = await connect();
  wire.write(head);
  let sent = head.length;
  for (let i = 0; i < 40; i++) {
    const chunk = Buffer.from(`4000\r\n${'b'.repeat(PACE)}\r\n`);
    wire.write(chunk);
    sent += chunk.length;
    await received(sent);
    await clock.pass(1, wire);
  }
  expect(wire.isOver).toBe(false);
  await clock.pass(GRACE_SECONDS + 1, wire);
  expectTooSlow(await wire.answer());
});

test('a frame over long polling needs the same pace', async () => {
  const { text } = await sendRaw(port, { method: 'GET', path: '/socket.io/?EIO=4&transport=polling', headers: [] });
  const { sid } = JSON.parse(text.slice(1)) as { sid: string };
  const path = `/socket.io/?EIO=4&transport=polling&sid=${sid}`;
  const post = (body: string): WireRequest => ({
    method: 'POST',
    path,
    headers: [['Content-Type', 'text/plain;charset=UTF-8']],
    body: Buffer.from(body),
  });
  // A poll, which ends with the connection. The packets are of the kind that means nothing.
  const { wire: poll } = await connect();
  poll.write(encodeRequest({ method: 'GET', path, headers: [] }));
  const steady = await upload(post(`6${' '.repeat(PACE * 100)}`), PACE);
  expect(await steady.wire.answer()).toMatchObject({ status: 200, text: 'ok' });
  const slow = await upload(post(`6${' '.repeat(PACE * 100)}`), 100);
  expectTooSlow(await slow.wire.answer());
  expect(await poll.answer('GET')).toMatchObject({ status: 200 });
});

test('does not time a request whose body is not read', async () => {
  let read = () => undefined as unknown;
  const idle = new JsonServer(
    (request, response) => {
      read = () => request.resume().once('end', () => response.end('{}'));
    },
    undefined,
    {
      uploadCheckIntervalMs: 1,
      now: () => {
        clock.looks += 1;
        return clock.ms;
      },
    },
  );
  const wire = await RawConnection.to(Number(new URL(await idle.listen(0, '127.0.0.1')).port));
  try {
    const arrived = once(idle.http, 'request');
    wire.write(encodeRequest({ method: 'POST', path: '/', headers: [], body: Buffer.alloc(3_000_000) }));
    const [request] = (await arrived) as [{ readonly readableLength: number; readonly readableHighWaterMark: number }];
    while (request.readableLength < request.readableHighWaterMark) await new Promise(setImmediate);
    await clock.pass(100 * GRACE_SECONDS, wire);
    await clock.pass(1, wire);
    read();
    expect(await wire.answer()).toMatchObject({ status: 200 });
  } finally {
    wire.destroy();
    await idle.close(500);
  }
});

test('headers have their own, shorter timeout', async () => {
  const hasty = new JsonServer((_request, response) => response.end('{}'), undefined, { headersTimeoutMs: 50 });
  expect(server.http.headersTimeout).toBe(15_000);
  const wire = await RawConnection.to(Number(new URL(await hasty.listen(0, '127.0.0.1')).port));
  try {
    wire.write('GET / HTTP/1.1\r\nHost: a\r\n');
    expectTooSlow(await wire.answer());
    await wire.ended;
  } finally {
    wire.destroy();
    await hasty.close(500);
  }
});
