import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { createApi } from '@messagebox/api';
import { Realtime } from '@messagebox/realtime';
import {
  createLogger,
  createServiceContext,
  JsonServer,
  openOverlayJobQueue,
  readConfig,
  type ServiceContext,
} from '@messagebox/shared';
import { createTemporaryFolder } from '@messagebox/test-support/managed-process';
import { createTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts';
import { waitUntil } from './history.ts';
import { createPeople, type Person } from './people.ts';

/** As the usual ones, and much shorter, so that a slow link needs seconds to show what takes minutes otherwise. */
const HEARTBEAT = { pingInterval: 1_000, pingTimeout: 6_000, checkInterval: 1_000 };
/** Seconds that socket.io's client waits for a ping: longer than the server waits for a pong. */
const PATIENCE = 7;
/** Bytes in a second. */
const RATE = 250_000;
/** How long a test waits for what crosses the slow link; the machine may be slow as well. */
const PATIENCE_MS = 120_000;
jest.setTimeout(2 * PATIENCE_MS);
/** A character of a body is a number of three digits and a comma. */
const bodyThatTakes = (seconds: number): string => 'z'.repeat((RATE * seconds) / 4);

let foundation: ServiceContext;
let realtime: Realtime;
let proxy: TcpProxy;
let server: JsonServer;
let url: string;
const folder = createTemporaryFolder();
const person = createPeople();

beforeAll(async () => {
  const config = readConfig({
    NODE_ENV: 'test',
    DATA_DIR: folder.path,
    SERVER_PRIVATE_KEY: randomBytes(32).toString('hex'),
    SHUTDOWN_GRACE_SECONDS: '2',
  });
  const log = createLogger('standalone', 'info', { write: () => undefined });
  const embedded = { client: 'better-sqlite3' as const, filename: join(folder.path, 'messagebox.sqlite') };
  foundation = await createServiceContext(config, log, { service: 'standalone', embedded });
  await foundation.store.migrate();
  const jobs = openOverlayJobQueue(foundation);
  foundation.shutdown.add('jobs', () => jobs.close());
  realtime = new Realtime({ ...foundation, heartbeat: HEARTBEAT });
  server = new JsonServer(createApi({ ...foundation, events: realtime.publisher, jobs }), log);
  realtime.attach(server);
  url = await server.listen(0, '127.0.0.1');
  proxy = await createTcpProxy({ target: url });
});
afterEach(async () => {
  proxy.setRate(undefined);
});
afterAll(async () => {
  await waitUntil('the clients are gone', () => realtime.size === 0);
  realtime.close();
  await proxy.close();
  await server.close(500);
  await foundation.shutdown.close();
  folder.remove();
});

const TRANSPORTS = ['websocket', 'polling'];

/** A live client behind the slow link, and whether its connection has ended. */
async function connect(client: Person, transport: string) {
  const socket = await client.connect(proxy.url, { transports: [transport] });
  const ended: string[] = [];
  socket.io.on('disconnect', (reason) => ended.push(reason));
  return { socket, ended };
}

test('a live send that takes longer than a pong may is stored, and its connection lives', async () => {
  const bob = person();
  const clients = await Promise.all(TRANSPORTS.map((transport) => connect(person(), transport)));
  proxy.setRate(RATE);
  const acks = await Promise.all(
    clients.map(({ socket }, i) => socket.send(bob.key, 'inbox', `up-${i}`, bodyThatTakes(PATIENCE * 1.5))),
  );
  expect(acks).toEqual([
    { status: 'success', messageId: 'up-0' },
    { status: 'success', messageId: 'up-1' },
  ]);
  proxy.setRate(undefined);
  for (const { socket } of clients) await socket.join('afterwards');
  expect(clients.map(({ ended }) => ended)).toEqual([[], []]);
});

test('pushes that take longer together than a ping may arrive', async () => {
  const [alice, bob] = [person(), person()];
  const clients = await Promise.all(TRANSPORTS.map((transport) => connect(bob, transport)));
  const pushes = await Promise.all(clients.map(({ socket }) => socket.join('inbox')));
  proxy.setRate(RATE);
  const messageIds = ['down-0', 'down-1', 'down-2', 'down-3'];
  const body = bodyThatTakes(PATIENCE * 0.4);
  const arrived = Promise.all(
    pushes.map((history) => history.waitForNext(({ messageId }) => messageId === 'down-3', PATIENCE_MS)),
  );
  for (const messageId of messageIds) {
    const answer = await alice.send(url, { recipient: bob.key, messageBox: 'inbox', messageId, body });
    expect(answer.status).toBe(200);
  }
  await arrived;
  for (const { all } of pushes) {
    expect(all.map((push) => [push.messageId, push.body.length])).toEqual(messageIds.map((id) => [id, body.length]));
  }
  expect(clients.map(({ ended }) => ended)).toEqual([[], []]);
});

test('a listener that is too slow for one push hears the next, and finds that one by listing', async () => {
  const [alice, bob] = [person(), person()];
  const send = async (messageId: string, body: string) =>
    await alice.send(url, { recipient: bob.key, messageBox: 'inbox', messageId, body });
  const socket = await bob.connect(proxy.url, { transports: ['websocket'] });
  const pushes = await socket.join('inbox');
  const ended = new Promise((resolve) => socket.io.once('disconnect', resolve));
  // As its real client does, it says who it is on each connection, and is put back into its rooms.
  socket.io.on('connect', () => socket.client.emit('authenticated', { identityKey: bob.key }));
  proxy.setRate(RATE / 4);
  await send('too-large', bodyThatTakes(PATIENCE / 2));
  expect(await ended).toBe('ping timeout');
  const next = pushes.waitForNext(undefined, PATIENCE_MS);
  await send('small', 'small');
  expect(await next).toMatchObject({ messageId: 'small', body: 'small' });
  expect(await bob.listIds(url, 'inbox')).toEqual(['too-large', 'small']);
});

test('a client that disappears without closing is detected', async () => {
  const alice = person();
  await alice.connect(proxy.url, { transports: ['websocket'] });
  const open = realtime.size;
  proxy.setRate(1); // a link that is dead, and says nothing
  await waitUntil('the server has ended it', () => realtime.size < open);
});
