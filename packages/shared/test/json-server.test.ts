import { EventEmitter, once } from 'node:events';
import { connect } from 'node:net';
import { Worker } from 'node:worker_threads';
import { JsonServer } from '../src/http/json-server.js';

const CLIENTS = 20;

/** Connects and sends in a separate thread, reports that through shared memory, and counts the responses. */
const clients = `
  const { connect } = require('node:net');
  const { parentPort, workerData } = require('node:worker_threads');
  const { port, count, sent } = workerData;
  let ended = 0, answered = 0;
  for (let i = 0; i < count; i++) {
    let text = '';
    const socket = connect(port, '127.0.0.1', () => {
      socket.write('GET / HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n', () => {
        if (Atomics.add(sent, 0, 1) === count - 1) Atomics.notify(sent, 0);
      });
    });
    socket.on('data', (data) => { text += data; });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      if (text.startsWith('HTTP/1.1 200')) answered += 1;
      if (++ended === count) parentPort.postMessage(answered);
    });
  }
`;

test('answers requests that were sent before it closed, even when it had not accepted their connections', async () => {
  const server = new JsonServer((_request, response) => response.end('{}'));
  const port = Number(new URL(await server.listen(0, '127.0.0.1')).port);
  const sent = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(clients, { eval: true, workerData: { port, count: CLIENTS, sent } });
  await once(worker, 'online');
  // This thread blocks, as a busy server does, until all clients have sent their request.
  for (let seen = 0; seen < CLIENTS; seen = Atomics.load(sent, 0)) Atomics.wait(sent, 0, seen, 1_000);
  const answered = once(worker, 'message');
  await server.close(5_000);
  expect(await answered).toEqual([CLIENTS]);
  await worker.terminate();
});

describe('a connection that waits for its turn', () => {
  const turns: { readonly address: string; readonly open: () => void; refuse(): void }[] = [];
  const arrivals = new EventEmitter();
  let requests = 0;
  let server: JsonServer;
  let port: number;

  beforeEach(async () => {
    turns.length = 0;
    requests = 0;
    server = new JsonServer(
      (request, response) => {
        requests += 1;
        request.resume().on('end', () => response.end('{}'));
      },
      undefined,
      {
        scheduleConnection: (address, open) =>
          new Promise((resolve, reject) => {
            turns.push({ address, open: () => resolve(open()), refuse: () => reject(new Error('too many')) });
            arrivals.emit('turn');
          }),
      },
    );
    port = Number(new URL(await server.listen(0, '127.0.0.1')).port);
  });
  afterEach(() => server.close(0));

  /** Sends one request with a body, the next one behind it, and resolves to all that comes back until the end. */
  async function send(): Promise<{ answer: Promise<string> }> {
    const turn = once(arrivals, 'turn');
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => undefined);
    const parts: string[] = [];
    socket.on('data', (data: Buffer) => parts.push(data.toString()));
    const answer = new Promise<string>((resolve) => socket.on('close', () => resolve(parts.join(''))));
    await once(socket, 'connect');
    await new Promise<void>((resolve) =>
      socket.write(
        'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabcGET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
        () => resolve(),
      ),
    );
    await turn;
    return { answer };
  }

  test('is read when its turn comes, and nothing that was sent before is lost', async () => {
    const { answer } = await send();
    const other = await send();
    expect(turns.map(({ address }) => address)).toEqual(['127.0.0.1', '127.0.0.1']);
    turns[1]?.open();
    expect(await other.answer).toMatch(/^(HTTP\/1\.1 200 OK[\s\S]*?\{\}){2}$/);
    expect(requests).toBe(2);
    turns[0]?.open();
    expect(await answer).toMatch(/^(HTTP\/1\.1 200 OK[\s\S]*?\{\}){2}$/);
  });

  test('is closed without an answer when its turn is refused', async () => {
    const { answer } = await send();
    turns[0]?.refuse();
    expect(await answer).toBe('');
    expect(requests).toBe(0);
  });

  test('does not keep the server from closing', async () => {
    const { answer } = await send();
    await server.close(0);
    expect(await answer).toBe('');
  });
});
