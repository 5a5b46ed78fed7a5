import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { createApi } from '@messagebox/api';
import { Realtime } from '@messagebox/realtime';
import {
  createLogger,
  type Foundation,
  JsonServer,
  openFoundation,
  openOverlayJobs,
  readConfig,
} from '@messagebox/shared';
import { temporaryFolder } from '../support/own-process.ts';
import { createTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts';
import { until } from './history.ts';
import { people } from './people.ts';

/** As the usual ones, and much shorter, so that a slow link needs seconds to show what takes minutes otherwise. */
const HEARTBEAT = { pingInterval: 1_000, pingTimeout: 3_000, lookEvery: 500 };
/** What socket.io's client waits for a ping, and longer than what the server waits for a pong. Seconds. */
const PATIENCE = 4;
/** Bytes in a second. */
const RATE = 500_000;
/** A character of a body is a number of three digits and a comma. */
const bodyThatTakes = (seconds: number): string => 'z'.repeat((RATE * seconds) / 4);

let foundation: Foundation;
let realtime: Realtime;
let proxy: TcpProxy;
let server: JsonServer;
let url: string;
const folder = temporaryFolder();
const person = people();

beforeAll(async () => {
  const config = readConfig({
    NODE_ENV: 'test',
    DATA_DIR: folder.path,
    SERVER_PRIVATE_KEY: randomBytes(32).toString('hex'),
    SHUTDOWN_GRACE_SECONDS: '2',
  });
  const log = createLogger('standalone', false, { write: () => undefined });
  const embedded = { client: 'better-sqlite3' as const, filename: join(folder.path, 'messagebox.sqlite') };
  foundation = await openFoundation(config, log, { service: 'standalone', embedded });
  await foundation.store.migrate();
  const jobs = openOverlayJobs(foundation);
  foundation.closing.add('jobs', () => jobs.close());
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
  await until('the clients are gone', () => realtime.size === 0);
  realtime.close();
  await proxy.close();
  await server.close(500);
  await foundation.closing.close();
  folder.remove();
});

async function send(to: { readonly key: string }, messageId: string, body: string): Promise<void> {
  const answer = await person().send(url, { recipient: to.key, messageBox: 'inbox', messageId, body });
  expect(answer.status).toBe(200);
}

const TRANSPORTS = [['websocket'], ['polling']];

test.each(TRANSPORTS)(
  'a live send that takes longer than a pong may is stored, and its connection lives: %s',
  async (transport) => {
    const [alice, bob] = [person(), person()];
    const socket = await alice.connect(proxy.url, { transports: [transport] });
    const ended = jest.fn();
    socket.io.on('disconnect', ended);
    proxy.setRate(RATE);
    const body = bodyThatTakes(PATIENCE * 2);
    const ack = await socket.send(bob.key, 'inbox', `up-${transport}`, body);
    expect(ack).toMatchObject({ status: 'success', messageId: `up-${transport}` });
    expect(ended).not.toHaveBeenCalled();
    proxy.setRate(undefined);
    await socket.join('afterwards');
  },
);

test.each(TRANSPORTS)('pushes that take longer together than a ping may arrive: %s', async (transport) => {
  const bob = person();
  const socket = await bob.connect(proxy.url, { transports: [transport] });
  const ended = jest.fn();
  socket.io.on('disconnect', ended);
  const pushes = await socket.join('inbox');
  proxy.setRate(RATE);
  const ids = ['a', 'b', 'c', 'd', 'e'].map((name) => `down-${transport}-${name}`);
  const arrived = Promise.all(ids.map((id) => pushes.next(({ messageId }) => messageId === id)));
  for (const id of ids) await send(bob, id, bodyThatTakes(PATIENCE / 3));
  expect((await arrived).map(({ body }) => body.length)).toEqual(ids.map(() => bodyThatTakes(PATIENCE / 3).length));
  expect(ended).not.toHaveBeenCalled();
});

test('a listener that is too slow for one push hears the next, and finds that one by listing', async () => {
  const bob = person();
  const socket = await bob.connect(proxy.url, { transports: ['websocket'] });
  await socket.join('inbox');
  const ended = new Promise((resolve) => socket.io.once('disconnect', resolve));
  const back = new Promise<void>((resolve) => socket.io.io.once('reconnect', () => resolve()));
  proxy.setRate(RATE / 4);
  await send(bob, 'too-large', bodyThatTakes(PATIENCE / 2));
  expect(await ended).toBe('ping timeout');
  await back;
  await socket.authenticate();
  const pushes = await socket.join('inbox');
  const next = pushes.next();
  await send(bob, 'small', 'small');
  expect(await next).toMatchObject({ messageId: 'small', body: 'small' });
  expect(await bob.listIds(url, 'inbox')).toEqual(['too-large', 'small']);
});

test('a client that is gone without a word is found', async () => {
  const alice = person();
  await alice.connect(proxy.url, { transports: ['websocket'] });
  const open = realtime.size;
  proxy.setRate(1); // a link that is dead, and says nothing
  await until('the server has ended it', () => realtime.size < open);
});
