import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { JsonServer } from '../src/http/json-server.js';
import { DEFAULT_MIN_DOWNLOAD_PACE } from '../src/http/slow-download-detector.js';

const BYTES = 48_000_000;
const GRACE_SECONDS = DEFAULT_MIN_DOWNLOAD_PACE.graceMs / 1_000;

const turn = () => new Promise((resolve) => setImmediate(resolve));

/** A server whose clock the test controls, and one connection to it. */
async function setUp(): Promise<{
  client: Socket;
  /** The server's end of the connection. */
  socket: Socket;
  limits: string[];
  /** Moves the clock, and waits until the server has checked the connection after that. */
  pass(seconds: number): Promise<void>;
  /** Sends the response to the long poll. */
  answerPoll(): void;
  arrived(): boolean;
  close(): Promise<void>;
}> {
  let [ms, checks] = [0, 0];
  const limits: string[] = [];
  let answerPoll: (() => void) | undefined;
  const server = new JsonServer(
    (request, response) => {
      if (request.url === '/poll') answerPoll = () => response.end('{}');
      else response.end(Buffer.alloc(BYTES, 'a'));
    },
    undefined,
    {
      downloadCheckIntervalMs: 1,
      onLimit: (limit) => limits.push(limit),
      now: () => {
        checks += 1;
        return ms;
      },
    },
  );
  const port = Number(new URL(await server.listen(0, '127.0.0.1')).port);
  const accepted = once(server.http, 'connection') as Promise<[Socket]>;
  const client = connect(port, '127.0.0.1');
  client.on('error', () => undefined);
  await once(client, 'connect');
  client.pause();
  const [socket] = await accepted;
  return {
    client,
    socket,
    limits,
    async pass(seconds) {
      // The server must first see the connection as it was before.
      for (const end = checks + 2; checks < end && socket.writableLength > 0 && !socket.destroyed; ) await turn();
      ms += seconds * 1_000;
      for (const end = checks + 2; checks < end && socket.writableLength > 0 && !socket.destroyed; ) await turn();
    },
    answerPoll: () => answerPoll?.(),
    arrived: () => answerPoll !== undefined,
    async close() {
      client.destroy();
      await server.close(500);
    },
  };
}

let at: Awaited<ReturnType<typeof setUp>>;
beforeEach(async () => {
  at = await setUp();
});
afterEach(() => at.close());

const ask = async (path: string) => {
  at.client.write(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`);
  while (path === '/poll' ? !at.arrived() : at.socket.writableLength === 0) await turn();
};

test('closes the connection of a client that takes nothing, after the grace', async () => {
  await ask('/');
  await at.pass(GRACE_SECONDS);
  expect(at.socket.destroyed).toBe(false);
  // The bytes that the operating system took at first are worth two minutes at the minimum pace.
  await at.pass(128 + 1);
  expect(at.socket.destroyed).toBe(true);
  expect(at.limits).toEqual(['slow_download']);
});

test('closes the connection of a client that is slower than the minimum pace, when the grace is used up', async () => {
  await ask('/');
  let seconds = 0;
  for (; !at.socket.destroyed && seconds < 1_000; seconds += 10) {
    at.client.read(1_024);
    await at.pass(10);
  }
  expect(at.socket.destroyed).toBe(true);
  expect(at.limits).toEqual(['slow_download']);
});

test('lets a client at the minimum pace finish, however long it takes', async () => {
  await ask('/');
  let received = 0;
  at.client.on('data', (chunk) => {
    received += chunk.length;
    at.client.pause();
  });
  let seconds = 0;
  while (received < BYTES && !at.socket.destroyed) {
    // TCP windows open in steps, so the client may read much at once. It keeps the minimum pace on average.
    const goal = received + 20 * DEFAULT_MIN_DOWNLOAD_PACE.minBytesPerSecond;
    while (received < Math.min(goal, BYTES) && !at.socket.destroyed) {
      at.client.resume();
      await turn();
    }
    await at.pass(10);
    seconds += 10;
  }
  expect(received).toBeGreaterThanOrEqual(BYTES);
  expect(seconds).toBeGreaterThan(GRACE_SECONDS * 5);
  expect(at.limits).toEqual([]);
});

test('does not count the time before a response, such as that of a long poll', async () => {
  await ask('/poll');
  await at.pass(10_000);
  at.answerPoll();
  at.client.resume();
  const [answer] = (await once(at.client, 'data')) as [Buffer];
  expect(String(answer)).toMatch(/^HTTP\/1\.1 200 /);
  expect(at.limits).toEqual([]);
});
