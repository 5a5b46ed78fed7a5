import { RawClient, type RawSocket } from '@messagebox/test-support/raw-client';
import { waitForCondition } from '@messagebox/test-support/wait-for-condition';
import { LiveTestBed } from '../bad-input/live-world.ts';
import { createUniqueId } from '../bad-input/refusals.ts';

/** A message is signed once for each socket of its room, so one identity has a bounded number of sockets in one room. */
const MAX_SOCKETS_IN_ROOM = 25;
let live: LiveTestBed;
beforeAll(async () => {
  live = await LiveTestBed.start();
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
      [socket.waitFor('joinedRoom'), socket.waitFor('joinFailed'), socket.closed].map((come) => come.catch(() => {})),
    );
  }
  const own = await client.shakeHands(live.http.server.port);
  const message = { recipient: client.identityKey, messageBox: 'wide', messageId: createUniqueId(), body: 'wide' };
  await live.http.expectAccepted(own.post('/sendMessage', { message }), own);
  const open = sockets.filter((socket) => socket.connected);
  const hasHeard = (socket: RawSocket) => socket.received.some(({ name }) => name === `sendMessage-${roomId}`);
  await waitForCondition(() => open.filter(hasHeard).length >= MAX_SOCKETS_IN_ROOM, 'the message is pushed');
  // Whatever comes on a socket comes in order: what is pushed is there before the answer to a later event.
  for (const socket of open) {
    socket.event('leaveRoom', roomId);
    await socket.waitFor('leftRoom');
  }
  expect(open.filter(hasHeard)).toHaveLength(MAX_SOCKETS_IN_ROOM);
});

test('the 26th socket is told that the room is full, and joins when another has left', async () => {
  const client = new RawClient();
  const roomId = live.room('full', client.identityKey);
  const sockets = await Promise.all(Array.from({ length: MAX_SOCKETS_IN_ROOM + 1 }, () => live.proven(client)));
  const last = sockets.pop() as RawSocket;
  for (const socket of sockets) {
    socket.event('joinRoom', roomId);
    await socket.waitFor('joinedRoom');
  }
  last.event('joinRoom', roomId);
  const reason = 'One instance serves at most 25 connections per room. List the box instead.';
  expect(await last.waitFor('joinFailed')).toMatchObject({ data: { roomId, reason, code: 'ERR_TOO_MANY_SOCKETS' } });
  // A socket that is in the room may join it again.
  sockets[0]?.event('joinRoom', roomId);
  await sockets[0]?.waitFor('joinedRoom');
  sockets[1]?.event('leaveRoom', roomId);
  await sockets[1]?.waitFor('leftRoom');
  last.event('joinRoom', roomId);
  await last.waitFor('joinedRoom');
});
