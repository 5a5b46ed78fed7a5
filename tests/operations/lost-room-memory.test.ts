import { randomUUID } from 'node:crypto';
import { waitUntil } from '@messagebox/test-kit';
import { RawClient, RawSocket } from '@messagebox/test-support/raw-client';
import { describeWithMysql } from '@messagebox/test-support/with-mysql';
import { Redis } from 'ioredis';
import { deployScaled, useDeployment } from '../acceptance/deployments.js';
import { createPeople } from '../acceptance/people.js';
import { describeWithManagedRedis, type ManagedServer, startRedisServer } from '../support/managed-servers.js';

describeWithMysql('a Redis that has lost room memory', () => {
  describeWithManagedRedis('of several processes', () => {
    let redis: ManagedServer;
    let admin: Redis;
    beforeAll(async () => {
      redis = (await startRedisServer()) as ManagedServer;
      admin = new Redis(redis.url);
      admin.on('error', () => undefined); // as long as it is down
    });
    // Registered before the deployment's own, so it runs after it.
    afterAll(async () => {
      admin.disconnect();
      await redis.close();
    });
    const at = useDeployment(() => deployScaled({ REDIS_URL: redis.url }));
    const someone = createPeople();
    let bob: RawClient;
    const open: RawSocket[] = [];
    beforeEach(async () => {
      bob = new RawClient();
    });
    afterEach(() => {
      for (const socket of open.splice(0)) socket.close();
    });

    /** A connection that does not join its rooms itself, unless it is the first one. */
    async function connect(realtime: 0 | 1, joins = false): Promise<RawSocket> {
      const socket = await RawSocket.proven(at().realtimes[realtime], bob);
      open.push(socket);
      if (!joins) return socket;
      socket.event('joinRoom', `${bob.identityKey}-inbox`);
      await socket.waitFor('joinedRoom');
      await waitUntil('the room is remembered', async () => (await countRememberedOf(bob)) === 1);
      return socket;
    }

    async function countRememberedOf({ identityKey }: RawClient): Promise<number> {
      return (await admin.keys(`*:joined:${identityKey}`)).length;
    }

    async function send(): Promise<string> {
      const messageId = randomUUID();
      const message = { recipient: bob.identityKey, messageBox: 'inbox', messageId, body: 'hello' };
      expect(await someone().send(at().apis[0], message)).toMatchObject({ status: 200 });
      return messageId;
    }

    async function takePush(socket: RawSocket): Promise<string> {
      const { data } = await socket.waitFor(`sendMessage-${bob.identityKey}-inbox`);
      return (data as { messageId: string }).messageId;
    }

    async function expectPush(socket: RawSocket, messageId: string): Promise<void> {
      expect(await takePush(socket)).toBe(messageId);
    }

    test.each<['flushed' | 'restarted' | 'killed', () => Promise<unknown>]>([
      ['flushed', () => admin.flushall()],
      ['restarted', () => redis.stop().then(() => redis.start())],
      ['killed', () => redis.kill().then(() => redis.start())],
    ])('is written again when it was %s, for open connections', async (_how, lose) => {
      const phone = await connect(0, true);
      await lose();
      await waitUntil('the room is remembered again', async () => (await countRememberedOf(bob)) === 1);
      phone.close();
      await expectPush(await connect(1), await send());
    });

    test('puts clients back into their rooms that come back before it is written again', async () => {
      const phone = await connect(0, true);
      await admin.flushall();
      phone.close();
      const again = await connect(1);
      await expectPush(again, await send());
    });

    test('puts clients back into their rooms, and replays them, that come back while Redis is away', async () => {
      const phone = await connect(0, true);
      await redis.kill();
      phone.close();
      const missed = await send();
      const again = await connect(1);
      await redis.start();
      await expectPush(again, missed);
      await expectPush(again, await send());
    });

    test('puts clients back into the rooms of their boxes when the process that knew them was killed as well', async () => {
      const phone = await connect(0, true);
      const known = await send();
      await expectPush(phone, known);
      await redis.kill();
      await at().processes.realtimes[0].kill();
      const missed = await send();
      const again = await connect(1);
      await redis.start();
      const heard = new Set<string>();
      // What came before may come again.
      while (!heard.has(missed)) heard.add(await takePush(again));
      await expectPush(again, await send());
      expect([...heard]).toEqual([known, missed]);
      await at().processes.realtimes[0].restart({ samePort: true });
    });
  });
});
