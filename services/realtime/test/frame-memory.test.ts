import { RawClient, RawSocket } from '../../../tests/bad-input/raw-client.ts';
import { eventually } from '../../../tests/bad-input/server.ts';
import { type LiveServer, startLiveServer } from './support/live-server.js';

/** Frames of sockets with an identity: each within its bound, and all together within one. */
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

const held = async () => Number(/^messagebox_socket_frame_bytes\{.*\} (\d+)$/m.exec(await live.metrics())?.[1]);

/** Writes all but the end of a websocket frame. */
function beginFrame({ io }: RawSocket): void {
  const head = Buffer.alloc(14);
  head[0] = 0x81;
  head[1] = 0xff;
  head.writeBigUInt64BE(BigInt(FRAME + 1), 2);
  const { ws } = io.io.engine.transport as unknown as { ws: { _socket: { write(bytes: Buffer): void } } };
  ws._socket.write(Buffer.concat([head, Buffer.alloc(FRAME, '7')]));
}

/** Joins a room by a frame that is large, because of what it says besides. */
async function sendLargeFrame(socket: RawSocket): Promise<void> {
  socket.event('no such event', 'x'.repeat(150_000));
  socket.event('joinRoom', `${socket.session?.client.identityKey}-inbox`);
  await socket.take('joinedRoom');
}

test.each(['websocket', 'polling'])('one identity does not take what others need to send, by %s', async (transport) => {
  const greedy = new RawClient();
  const sockets = await Promise.all(Array.from({ length: 6 }, () => proven(greedy)));
  for (const socket of sockets) beginFrame(socket);
  // So many do not fit, and end at once.
  await eventually(() => sockets.filter((socket) => !socket.connected).length === 2, 'two are ended');
  expect(await held()).toBeLessThanOrEqual(SHARED);
  const honest = await proven(new RawClient(), transport);
  await sendLargeFrame(honest);
  expect(await live.metrics()).toMatch(/^messagebox_limits_hit_total\{.*limit="frame_bytes".*\} [1-9]\d*$/m);
  for (const socket of sockets) socket.close();
  await eventually(() => live.realtime.size === 1, 'the server forgets closed sockets');
  expect(await held()).toBe(0);
});

test('whoever has less than its share gets that of the one who has most', async () => {
  const greedy = new RawClient();
  const sockets = await Promise.all(Array.from({ length: 4 }, () => proven(greedy)));
  for (const socket of sockets) beginFrame(socket);
  await sendLargeFrame(await proven(new RawClient()));
  const honest = await proven(new RawClient());
  beginFrame(honest);
  await eventually(() => sockets.some((socket) => !socket.connected), 'one is ended');
  expect(sockets.filter((socket) => !socket.connected)).toHaveLength(1);
  expect(honest.connected).toBe(true);
});
