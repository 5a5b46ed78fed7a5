import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { DOWNLOAD_PACE } from '../src/http/download-watch.js';
import { JsonServer } from '../src/http/json-server.js';

const BYTES = 48_000_000;
const GRACE_SECONDS = DOWNLOAD_PACE.graceMs / 1_000;

const turn = () => new Promise((resolve) => setImmediate(resolve));

/** A server whose clock is the test's, and one connection to it. */
async function setUp(): Promise<{
  client: Socket;
  /** The server's end. */
  socket: Socket;
  limits: string[];
  /** Lets time pass until the server has looked at the connection since. */
  pass(seconds: number): Promise<void>;
  /** Answers the long poll once it has arrived. */
  answerPoll(): void;
  arrived(): boolean;
  close(): Promise<void>;
}> {
  let [ms, looks] = [0, 0];
  const limits: string[] = [];
  let answerPoll: (() => void) | undefined;
  const server = new JsonServer(
    (request, response) => {
      if (request.url === '/poll') answerPoll = () => response.end('{}');
      else response.end(Buffer.alloc(BYTES, 'a'));
    },
    undefined,
    {
      downloadCheckMs: 1,
      onLimit: (limit) => limits.push(limit),
      now: () => {
        looks += 1;
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
      // What was to be seen before must have been seen.
      for (const end = looks + 2; looks < end && socket.writableLength > 0 && !socket.destroyed; ) await turn();
      ms += seconds * 1_000;
      for (const end = looks + 2; looks < end && socket.writableLength > 0 && !socket.destroyed; ) await turn();
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

test('an answer that nobody takes ends its connection after the grace', async () => {
  await ask('/');
  await at.pass(GRACE_SECONDS);
  expect(at.socket.destroyed).toBe(false);
  // What the operating system took at first stands for two minutes at the pace.
  await at.pass(128 + 1);
  expect(at.socket.destroyed).toBe(true);
  expect(at.limits).toEqual(['slow_download']);
});

test('an answer that is taken slower than the pace ends its connection when the grace is used up', async () => {
  await ask('/');
  let seconds = 0;
  for (; !at.socket.destroyed && seconds < 1_000; seconds += 10) {
    at.client.read(1_024);
    await at.pass(10);
  }
  expect(at.socket.destroyed).toBe(true);
  expect(at.limits).toEqual(['slow_download']);
});

test('an answer that is taken at the pace goes on, however long it takes', async () => {
  await ask('/');
  let received = 0;
  at.client.on('data', (chunk) => {
    received += chunk.length;
    at.client.pause();
  });
  let seconds = 0;
  while (received < BYTES && !at.socket.destroyed) {
    // Windows open in steps, hence several at a time: still at the pace as a whole.
    const goal = received + 20 * DOWNLOAD_PACE.minBytesPerSecond;
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

test('an answer that is still to be given, such as that to a long poll, may wait', async () => {
  await ask('/poll');
  await at.pass(10_000);
  at.answerPoll();
  at.client.resume();
  const [answer] = (await once(at.client, 'data')) as [Buffer];
  expect(String(answer)).toMatch(/^HTTP\/1\.1 200 /);
  expect(at.limits).toEqual([]);
});
