import { parseSend, type RoomEvent, sendMessages } from '@messagebox/messages';
import { type FcmServer, startFcmServer } from '@messagebox/test-support/fcm-server';
import { describeWithMysql } from '@messagebox/test-support/with-mysql';
import { waitUntil } from '../acceptance/history.js';
import { describeWithManagedRedis, type ManagedServer, startRedisServer } from '../support/managed-servers.js';
import { BOB } from './fixtures.js';
import {
  createSharedDeployment,
  type Instance,
  listPushed,
  type PushDeployment,
  startInstance,
} from './push-deployment.js';

describeWithMysql('while Redis is away', () => {
  describeWithManagedRedis('pushes go on', () => {
    let redis: ManagedServer;
    let place: PushDeployment;
    let server: FcmServer;
    let at: Instance;
    beforeAll(async () => {
      redis = (await startRedisServer()) as ManagedServer;
      place = await createSharedDeployment('mb_test_outage:', redis.url);
      server = await startFcmServer();
      at = await startInstance(place, server);
    });
    afterAll(async () => {
      await at.close();
      await server.close();
      await place.remove();
      await redis.close();
    });

    test('sends do not wait, and each is pushed once', async () => {
      const alice = `02${'a7'.repeat(32)}`;
      const { token } = await at.device(alice);
      const push = await at.push();
      const { foundation } = at;
      await foundation.permissions.set({
        recipient: alice,
        sender: undefined,
        messageBox: 'notifications',
        recipientFee: 0,
      });
      await foundation.deliveryFees.set('notifications', 0);
      const published: RoomEvent[] = [];
      const parts = {
        ...foundation,
        events: { publish: (event: RoomEvent) => void published.push(event) },
        push: push?.outboxWriter,
      };
      await redis.kill();
      const ids = Array.from({ length: 50 }, (_, n) => `away-${n}`);
      const before = Date.now();
      for (const messageId of ids) {
        const message = { recipient: alice, messageBox: 'notifications', messageId, body: 'hello' };
        const command = parseSend({ normaliseKey: foundation.identity.normaliseKey, maxRecipients: 1 }, BOB, {
          message,
        });
        expect(await sendMessages(parts, command)).toMatchObject({ status: 'success' });
      }
      expect(Date.now() - before).toBeLessThan(5_000);
      expect(published).toHaveLength(50);
      await server.waitUntilReceived(50);
      expect(listPushed(server)).toEqual(ids.map((id) => `${token} ${id}`).sort());
      await waitUntil('the outbox is empty', async () => (await at.outbox.countUpTo(10)) === 0);
      await redis.start();
      const count = (text: string) => at.lines.filter((line) => line.includes(text)).length;
      await waitUntil(
        'all connections are back',
        () => count('Redis connection restored') >= count('Redis connection lost'),
      );
      expect(at.lines.filter((line) => line.includes('push delivery paused'))).toEqual([]);
    });
  });
});
