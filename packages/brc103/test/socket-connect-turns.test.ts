import { io as connect } from 'socket.io-client';
import { createUnprovenLimit } from '../src/socket/unproven-slots.js';
import {
  closeAfterTest,
  closeAll,
  connectClient,
  connectPlainSocket,
  createTestAuthenticator,
  type EchoServer,
  startEchoServer,
  waitForEvent,
} from './support/echo-server.js';

afterEach(closeAll);

/** Sockets that socket.io has created and not connected yet. */
function countPreparedSockets({ io }: EchoServer): number {
  return (io.of('/') as unknown as { readonly _preConnectSockets: ReadonlyMap<string, unknown> })._preConnectSockets
    .size;
}

test('a client is admitted to a namespace when it is its turn', async () => {
  let admit = (): void => undefined;
  const asked = new Promise<void>((resolve) => {
    admit = resolve;
  });
  let give = (): void => undefined;
  const turn = new Promise<void>((resolve) => {
    give = resolve;
  });
  const server = await startEchoServer(createTestAuthenticator(), {
    scheduleConnect: () => {
      admit();
      return turn;
    },
  });
  const alice = connectClient(server.url);
  await asked;
  expect(countPreparedSockets(server)).toBe(0);
  expect(server.sockets.size).toBe(0);
  expect(server.sockets.unprovenCount).toBe(0);
  give();
  const { socket, waitForNext } = await alice;
  socket.emit('hello', 1);
  await waitForNext('echo');
  expect(server.sockets.provenCount).toBe(1);
});

test('a client that is not admitted is disconnected, and reconnects by itself', async () => {
  let tries = 0;
  const server = await startEchoServer(createTestAuthenticator(), {
    scheduleConnect: async () => {
      tries += 1;
      if (tries === 1) throw new Error('Too many wait.');
    },
  });
  const socket = connect(server.url, { forceNew: true, reconnectionDelay: 1, reconnectionDelayMax: 1 });
  closeAfterTest(() => socket.disconnect());
  await waitForEvent(socket, 'connect');
  expect(tries).toBe(2);
  expect(server.sockets.size).toBe(1);
  expect(countPreparedSockets(server)).toBe(0);
});

test('a client that asks twice while it waits is disconnected, and uses no place', async () => {
  const waiting: (() => void)[] = [];
  let mustWait = true;
  const server = await startEchoServer(createTestAuthenticator(), {
    admitUnproven: createUnprovenLimit(1),
    scheduleConnect: async () => {
      if (mustWait) await new Promise<void>((resolve) => waiting.push(resolve));
    },
  });
  const { io: manager } = connect(server.url, { forceNew: true, reconnection: false, transports: ['websocket'] });
  await new Promise<void>((resolve) => manager.once('open', resolve));
  const ended = new Promise((resolve) => manager.once('close', resolve));
  manager.engine.write('0');
  await ended;
  mustWait = false;
  for (const resume of waiting) resume();
  await connectPlainSocket(server.url);
  expect(server.sockets.unprovenCount).toBe(1);
});
