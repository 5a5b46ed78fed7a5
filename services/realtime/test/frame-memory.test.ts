import { setImmediate } from 'node:timers/promises';
import { RawClient, RawSocket } from '@messagebox/test-support/raw-client';
import { waitForCondition } from '@messagebox/test-support/wait-for-condition';
import { type LiveServer, startLiveServer } from './support/live-server.js';

/** Unfinished frames of proven sockets share this many bytes. */
const SHARED = 4_000_000;
const FRAME = 900_000;
let live: LiveServer;
const open: RawSocket[] = [];
beforeEach(async () => {
  live = await startLiveServer({ MAX_UNFINISHED_FRAME_BYTES: `${SHARED}`, LIVE_MAX_BODY: '200000' });
});
afterEach(async () => {
  for (const socket of open.splice(0)) socket.close();
  await live.close();
});

async function proven(client: RawClient, transport = 'websocket'): Promise<RawSocket> {
  const socket = await RawSocket.proven(live.url, client, [transport]);
  open.push(socket);
  return socket;
}

/** The shared memory that one of these frames takes: what exceeds the socket's own memory, in steps of 64 KiB. */
const FRAME_RESERVATION = 851_968;
const held = async () => Number(/^messagebox_socket_frame_bytes\{.*\} (\d+)$/m.exec(await live.metrics())?.[1]);

/** Writes a websocket frame without its last byte. */
function beginFrame({ io }: RawSocket): void {
  const head = Buffer.alloc(14);
  head[0] = 0x81;
  head[1] = 0xff;
  head.writeBigUInt64BE(BigInt(FRAME + 1), 2);
  const { ws } = io.io.engine.transport as unknown as { ws: { _socket: { write(bytes: Buffer): void } } };
  ws._socket.write(Buffer.concat([head, Buffer.alloc(FRAME, '7')]));
}

/**
 * Begins one frame after the other, each when the server holds the ones before. Frames that arrive side by side would all be
 * half in memory when the first of them is refused, and then more than one would be.
 */
async function holdFrames(sockets: readonly RawSocket[]): Promise<void> {
  for (const [index, socket] of sockets.entries()) {
    beginFrame(socket);
    while ((await held()) < (index + 1) * FRAME_RESERVATION) await setImmediate();
  }
}

/** Sends a large frame, and waits until the server has handled it. */
async function sendLargeFrame(socket: RawSocket): Promise<void> {
  socket.event('no such event', 'x'.repeat(150_000));
  socket.event('joinRoom', `${socket.session?.client.identityKey}-inbox`);
  await socket.waitFor('joinedRoom');
}

test.each(['websocket', 'polling'])(
  'one identity does not use up the memory that others need for frames over %s',
  async (transport) => {
    const greedy = new RawClient();
    const sockets = await Promise.all(Array.from({ length: 6 }, () => proven(greedy)));
    // Four frames fit into the shared memory. The other two sockets are closed.
    await holdFrames(sockets.slice(0, 4));
    for (const socket of sockets.slice(4)) beginFrame(socket);
    await waitForCondition(() => sockets.filter((socket) => !socket.connected).length === 2, 'two are ended');
    expect(await held()).toBeLessThanOrEqual(SHARED);
    const honest = await proven(new RawClient(), transport);
    await sendLargeFrame(honest);
    expect(await live.metrics()).toMatch(/^messagebox_limits_hit_total\{.*limit="frame_bytes".*\} [1-9]\d*$/m);
    for (const socket of sockets) socket.close();
    await waitForCondition(() => live.realtime.size === 1, 'the server forgets closed sockets');
    expect(await held()).toBe(0);
  },
);

test('an identity with less than its share gets memory from the identity that holds most', async () => {
  const greedy = new RawClient();
  const sockets = await Promise.all(Array.from({ length: 4 }, () => proven(greedy)));
  await holdFrames(sockets);
  await sendLargeFrame(await proven(new RawClient()));
  const honest = await proven(new RawClient());
  beginFrame(honest);
  await waitForCondition(() => sockets.some((socket) => !socket.connected), 'one is ended');
  expect(sockets.filter((socket) => !socket.connected)).toHaveLength(1);
  expect(honest.connected).toBe(true);
});
