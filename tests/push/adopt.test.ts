import { createLogger, defaultJobPolicy, RedisJobQueue } from '@messagebox/shared';
import { type FcmServer, startFcmServer } from '@messagebox/test-support/fcm-server';
import { describeWithMysql } from '@messagebox/test-support/with-mysql';
import { describeWithRedis } from '@messagebox/test-support/with-redis';
import { waitUntil } from '../acceptance/history.js';
import { ALICE, BOB } from './fixtures.js';
import {
  createSharedDeployment,
  type Instance,
  listPushed,
  type PushDeployment,
  startInstance,
} from './push-deployment.js';

describeWithMysql('with pushes that version 0.1.0 has left', () => {
  describeWithRedis('as jobs in Redis', ({ prefix }) => {
    let place: PushDeployment;
    let server: FcmServer;
    let at: Instance;
    beforeAll(async () => {
      place = await createSharedDeployment(prefix);
      server = await startFcmServer();
      at = await startInstance(place, server);
    });
    afterAll(async () => {
      await at.close();
      await server.close();
      await place.remove();
    });

    test('an instance sends each of them once, also those that wait for their time', async () => {
      const { id: device, token } = await at.device(ALICE);
      const { config, redis, metrics } = at.foundation;
      if (config.redis === undefined || redis === undefined) throw new Error('there is no Redis');
      const queue = new RedisJobQueue(
        'push',
        { redis, prefix: config.redis.prefix, log: createLogger('test', 'info'), metrics },
        { ...defaultJobPolicy, attempts: 12 },
      );
      const ids = Array.from({ length: 40 }, (_, n) => `old-${n}`);
      const createdAt = Date.now() - 60_000;
      await queue.addAll(
        ids.map((messageId, n) => ({
          name: 'push',
          data: { device, recipient: ALICE, messageId, originator: BOB, createdAt },
          options: { id: `${n}-${createdAt}-${device}`, delayMs: n % 2 === 0 ? 0 : 1_000 },
        })),
      );
      await at.push();
      await server.waitUntilReceived(40);
      await waitUntil('the outbox is empty', async () => (await at.outbox.countUpTo(10)) === 0);
      expect(listPushed(server)).toEqual(ids.map((messageId) => `${token} ${messageId}`).sort());
      expect(await queue.counts()).toMatchObject({ waiting: 0, delayed: 0, active: 0, failed: 0 });
      await queue.close();
    });
  });
});
