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
