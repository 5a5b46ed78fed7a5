import { LiveWorld } from '../bad-input/live-world.ts';
import { RawClient, type RawSocket } from '../bad-input/raw-client.ts';
import { uniqueId } from '../bad-input/refusals.ts';

/** A message is signed once for each socket of its room, so one identity has a bounded number of sockets in one room. */
const MAX_SOCKETS_IN_ROOM = 25;
let live: LiveWorld;
beforeAll(async () => {
  live = await LiveWorld.start();
});
afterEach(() => live.closeSockets());
afterAll(() => live.close());

test('a message reaches at most 25 sockets of one identity in one room', async () => {
  const client = new RawClient();
  const roomId = live.room('wide', client.identityKey);
  const sockets: RawSocket[] = [];
  for (let i = 0; i < MAX_SOCKETS_IN_ROOM + 5; i++) {
    const socket = await live.proven(client);
    sockets.push(socket);
    socket.event('joinRoom', roomId);
    await Promise.race(
      [socket.take('joinedRoom'), socket.take('joinFailed'), socket.closed].map((come) => come.catch(() => {})),
    );
  }
  const own = await client.shakeHands(live.world.server.port);
  const message = { recipient: client.identityKey, messageBox: 'wide', messageId: uniqueId(), body: 'wide' };
  await live.world.taken(own.post('/sendMessage', { message }), own);
  const open = sockets.filter((socket) => socket.connected);
  // Whatever comes on a socket comes in order: what is pushed is there before the answer to a later event.
  for (const socket of open) {
    socket.event('leaveRoom', roomId);
    await socket.take('leftRoom');
  }
  const heard = open.filter((socket) => socket.received.some(({ name }) => name === `sendMessage-${roomId}`));
  expect(heard).toHaveLength(MAX_SOCKETS_IN_ROOM);
});

test('the 26th socket is told that the room is full, and joins when another has left', async () => {
  const client = new RawClient();
  const roomId = live.room('full', client.identityKey);
  const sockets = await Promise.all(Array.from({ length: MAX_SOCKETS_IN_ROOM + 1 }, () => live.proven(client)));
  const last = sockets.pop() as RawSocket;
  for (const socket of sockets) {
    socket.event('joinRoom', roomId);
    await socket.take('joinedRoom');
  }
  last.event('joinRoom', roomId);
  const reason = 'A room may have 25 connections here. List its box.';
  expect(await last.take('joinFailed')).toMatchObject({ data: { roomId, reason, code: 'ERR_TOO_MANY_SOCKETS' } });
  // Those who are in it may ask again.
  sockets[0]?.event('joinRoom', roomId);
  await sockets[0]?.take('joinedRoom');
  sockets[1]?.event('leaveRoom', roomId);
  await sockets[1]?.take('leftRoom');
  last.event('joinRoom', roomId);
  await last.take('joinedRoom');
});
