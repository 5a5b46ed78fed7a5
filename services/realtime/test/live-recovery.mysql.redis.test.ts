import { randomUUID } from 'node:crypto';
import type { NewMessage } from '@messagebox/store';
import { RawClient, RawSocket } from '@messagebox/test-support/raw-client';
import { createMysqlDatabase, describeWithMysql, type TestDatabase } from '@messagebox/test-support/with-mysql';
import { describeWithRedis, type TestRedis } from '@messagebox/test-support/with-redis';
import { type LiveServer, startLiveServer } from './support/live-server.js';
import { IMMEDIATE, PATIENT } from './support/recovery-suite.js';

describeWithMysql('live recovery on MySQL and Redis', () => {
  describeWithRedis('of several instances', suite);
});

function suite({ url, prefix }: TestRedis): void {
  let database: TestDatabase;
  const instances: LiveServer[] = [];
  const sockets: RawSocket[] = [];
  const client = new RawClient();
  const room = `${client.identityKey}-inbox`;

  const start = async (recoveryTimes = PATIENT) => {
    const env = {
      KNEX_DB_CLIENT: 'mysql2',
      KNEX_DB_CONNECTION: JSON.stringify(database.url),
      REDIS_URL: url,
      REDIS_PREFIX: prefix,
    };
    const live = await startLiveServer(env, { recoveryTimes });
    instances.push(live);
    // Else the room of the first socket is replayed to the second one.
    jest.spyOn(live.context.memory, 'recall').mockResolvedValue([]);
    const socket = await RawSocket.proven(live.url, client);
    sockets.push(socket);
    socket.event('joinRoom', room);
    await socket.waitFor('joinedRoom');
    return { live, socket };
  };
  const create = (): NewMessage => ({
    recipient: client.identityKey,
    messageBox: 'inbox',
    messageId: randomUUID(),
    sender: new RawClient().identityKey,
    body: 'hello',
  });
  const nextId = async (socket: RawSocket) =>
    ((await socket.waitFor(`sendMessage-${room}`)).data as NewMessage).messageId;

  beforeEach(async () => {
    database = await createMysqlDatabase();
  });
  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.close();
    for (const live of instances.splice(0)) await live.close();
    await database.drop();
  });

  it('delivers what one instance has missed to its own sockets only', async () => {
    const one = await start();
    const other = await start();
    const { store, broker } = one.live.context;
    const missed = create();
    await store.storeMessages([missed]);
    broker.gaps.report({ since: Date.now() - 1_000, reason: 'connection_lost' });
    expect(await nextId(one.socket)).toBe(missed.messageId);
    const next = create();
    const [stored] = await store.storeMessages([next]);
    one.live.realtime.publisher.publish({ ...next, cursor: stored?.cursor });
    expect(await nextId(one.socket)).toBe(next.messageId);
    expect(await nextId(other.socket)).toBe(next.messageId);
  });

  it('delivers a message once on each connection, whoever finds it', async () => {
    const one = await start(IMMEDIATE);
    const other = await start(IMMEDIATE);
    const messages = Array.from({ length: 100 }, create);
    for (const [i, message] of messages.entries()) {
      const [stored] = await one.live.context.store.storeMessages([message]);
      // Every other message loses its event.
      if (i % 2 === 0) one.live.realtime.publisher.publish({ ...message, cursor: stored?.cursor });
    }
    for (const { socket } of [one, other]) {
      const ids = [];
      for (let i = 0; i < messages.length; i++) ids.push(await nextId(socket));
      expect(ids.sort()).toEqual(messages.map(({ messageId }) => messageId).sort());
    }
    const last = create();
    const [stored] = await one.live.context.store.storeMessages([last]);
    one.live.realtime.publisher.publish({ ...last, cursor: stored?.cursor });
    for (const { socket } of [one, other]) expect(await nextId(socket)).toBe(last.messageId);
  });
}
