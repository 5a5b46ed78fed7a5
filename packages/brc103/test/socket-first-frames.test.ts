import type { Socket as PlainSocket } from 'socket.io-client';
import {
  closeAll,
  connectClient,
  connectPlainSocket,
  createTestAuthenticator,
  type EchoServer,
  FREE_BYTES_PER_SOCKET,
  startEchoServer,
  waitForEvent,
} from './support/echo-server.js';

/** The first frames of a client may be large, but an unproven client must not fill the memory with them. */
afterEach(closeAll);

describe.each([['websocket'], ['polling']])('over %s', (transport) => {
  const transports = [transport];

  test('a first event far above the free memory of each connection is accepted', async () => {
    const server = await startEchoServer(createTestAuthenticator());
    const alice = await connectClient(server.url, { transports });
    const answer = alice.waitForNext('echo');
    const data = 'x'.repeat(FREE_BYTES_PER_SOCKET * 5);
    alice.socket.emit('large', data);
    expect(await answer).toEqual({ eventName: 'large', data });
    expect(server.refusals).toEqual([]);
  });

  test('large events that were buffered during a network failure are all accepted', async () => {
    const server = await startEchoServer(createTestAuthenticator());
    const alice = await connectClient(server.url, { transports });
    alice.socket.emit('first', 0);
    await alice.waitForNext('echo');
    const gone = alice.waitForNext('disconnect');
    for (const socket of server.io.sockets.sockets.values()) socket.conn.close();
    await gone;
    for (let n = 0; n < 4; n++) alice.socket.emit('buffered', `${n}${'x'.repeat(50_000)}`);
    const all = new Promise<void>((resolve) => {
      let count = 0;
      alice.socket.on('echo', () => ++count === 4 && resolve());
    });
    await all;
    expect(server.seen.slice(1).map(({ data }) => String(data)[0])).toEqual(['0', '1', '2', '3']);
    expect(server.closed).toHaveLength(1);
  });

  test('a frame beyond the shared memory is refused while it arrives, and a small one is accepted', async () => {
    const server = await startEchoServer(createTestAuthenticator(), {
      unprovenMemory: { each: FREE_BYTES_PER_SOCKET, shared: 100_000 },
    });
    const stranger = await connectPlainSocket(server.url, transports);
    const ended = waitForEvent(stranger, 'disconnect');
    stranger.emit('authMessage', 'x'.repeat(900_000));
    await ended;
    expect(server.refusals).toEqual([]);
    const alice = await connectClient(server.url, { transports });
    alice.socket.emit('hello', 1);
    await alice.waitForNext('echo');
  });
});

test('only received bytes count, for all unproven clients together, and announced bytes do not', async () => {
  const server = await startEchoServer(createTestAuthenticator(), {
    unprovenMemory: { each: FREE_BYTES_PER_SOCKET, shared: 200_000 },
  });
  const greedy = await Promise.all(Array.from({ length: 6 }, () => connectPlainSocket(server.url)));
  // Each client announces 900 KB and sends a part of it.
  for (const socket of greedy) begin(socket, 900_000, 90_000);
  await server.waitFor(() => server.closed.length >= 3);
  const alice = await connectClient(server.url, { transports: ['websocket'] });
  const answer = alice.waitForNext('echo');
  alice.socket.emit('small', 'x'.repeat(2_000));
  await answer;
  for (const socket of greedy) wsOf(socket).terminate();
  await server.waitFor(() => server.closed.length >= 6);
  // All of the memory is free again.
  const bob = await connectClient(server.url, { transports: ['websocket'] });
  const large = bob.waitForNext('echo');
  bob.socket.emit('large', 'x'.repeat(15_000));
  await large;
});

test('events that wait for the proof count, too', async () => {
  const server = await startEchoServer(createTestAuthenticator(), {
    unprovenMemory: { each: FREE_BYTES_PER_SOCKET, shared: 0 },
  });
  const frames = await framesOf(server);
  const thief = await connectPlainSocket(server.url);
  const refused = waitForEvent(thief, 'authenticationFailed');
  for (const frame of frames) thief.emit('authMessage', frame);
  expect(await refused).toEqual({ reason: 'Too much was sent before the identity was proven' });
});

/** Signed events of a client, 4 KB each. */
async function framesOf(server: EchoServer): Promise<unknown[]> {
  const frames: Record<string, unknown>[] = [];
  server.io.on('connection', (socket) => {
    socket.on('authMessage', (frame: Record<string, unknown>) => frames.push(frame));
  });
  const alice = await connectClient(server.url);
  alice.socket.emit('first', 0);
  await alice.waitForNext('echo');
  for (let n = 0; n < 6; n++) {
    const answer = alice.waitForNext('echo');
    alice.socket.emit('more', 'x'.repeat(3_900));
    await answer;
  }
  return frames.filter(({ messageType }) => messageType === 'general');
}

/** Writes the header of a websocket frame of this length. */
function begin(socket: PlainSocket, announced: number, sent: number): void {
  const header = Buffer.alloc(14);
  header[0] = 0x81;
  header[1] = 0x80 | 127;
  header.writeBigUInt64BE(BigInt(announced), 2);
  wsOf(socket)._socket.write(Buffer.concat([header, Buffer.alloc(sent, 'x')]));
}

function wsOf(socket: PlainSocket): { readonly _socket: { write(bytes: Buffer): void }; terminate(): void } {
  return (socket.io.engine.transport as unknown as { ws: ReturnType<typeof wsOf> }).ws;
}
