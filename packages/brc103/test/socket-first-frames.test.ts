import type { Socket as PlainSocket } from 'socket.io-client';
import { authenticator, client, closeAll, type Echo, echo, OWN_BYTES, once, plain } from './support/echo.ts';

/** A client's first frames may be large; a stranger must not fill the memory by them. */
afterEach(closeAll);

describe.each([['websocket'], ['polling']])('over %s', (transport) => {
  const transports = [transport];

  test('a first event far above what each connection has for itself is taken', async () => {
    const server = await echo(authenticator());
    const alice = await client(server.url, { transports });
    const answer = alice.next('echo');
    const data = 'x'.repeat(OWN_BYTES * 5);
    alice.socket.emit('large', data);
    expect(await answer).toEqual({ eventName: 'large', data });
    expect(server.refusals).toEqual([]);
  });

  test('large events buffered while the network was away are all taken', async () => {
    const server = await echo(authenticator());
    const alice = await client(server.url, { transports });
    alice.socket.emit('first', 0);
    await alice.next('echo');
    const gone = alice.next('disconnect');
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

  test('beyond what all strangers share a frame is refused while it is coming, and a small one is taken', async () => {
    const server = await echo(authenticator(), { unprovenBytes: { each: OWN_BYTES, shared: 100_000 } });
    const stranger = await plain(server.url, transports);
    const ended = once(stranger, 'disconnect');
    stranger.emit('authMessage', 'x'.repeat(900_000));
    await ended;
    expect(server.refusals).toEqual([]);
    const alice = await client(server.url, { transports });
    alice.socket.emit('hello', 1);
    await alice.next('echo');
  });
});

test('what is only announced costs nothing; what has come counts, for all strangers together', async () => {
  const server = await echo(authenticator(), { unprovenBytes: { each: OWN_BYTES, shared: 200_000 } });
  const greedy = await Promise.all(Array.from({ length: 6 }, () => plain(server.url)));
  // Each announces 900 KB and sends a part of it.
  for (const socket of greedy) begin(socket, 900_000, 90_000);
  await server.until(() => server.closed.length >= 3);
  const alice = await client(server.url, { transports: ['websocket'] });
  const answer = alice.next('echo');
  alice.socket.emit('small', 'x'.repeat(2_000));
  await answer;
  for (const socket of greedy) wsOf(socket).terminate();
  await server.until(() => server.closed.length >= 6);
  // All of it is free again.
  const bob = await client(server.url, { transports: ['websocket'] });
  const large = bob.next('echo');
  bob.socket.emit('large', 'x'.repeat(15_000));
  await large;
});

test('events that wait for the proof count too', async () => {
  const server = await echo(authenticator(), { unprovenBytes: { each: OWN_BYTES, shared: 0 } });
  const frames = await framesOf(server);
  const thief = await plain(server.url);
  const refused = once(thief, 'authenticationFailed');
  for (const frame of frames) thief.emit('authMessage', frame);
  expect(await refused).toEqual({ reason: 'Too much was sent before the identity was proven' });
});

/** Signed events of a client, 4 KB each. */
async function framesOf(server: Echo): Promise<unknown[]> {
  const frames: Record<string, unknown>[] = [];
  server.io.on('connection', (socket) => {
    socket.on('authMessage', (frame: Record<string, unknown>) => frames.push(frame));
  });
  const alice = await client(server.url);
  alice.socket.emit('first', 0);
  await alice.next('echo');
  for (let n = 0; n < 6; n++) {
    const answer = alice.next('echo');
    alice.socket.emit('more', 'x'.repeat(3_900));
    await answer;
  }
  return frames.filter(({ messageType }) => messageType === 'general');
}

/** Writes the beginning of a websocket frame of so many bytes. */
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
