import { type RoomEvent, send } from '@messagebox/shared';
import { until } from '../acceptance/history.js';
import { type FcmServer, startFcmServer } from '../support/fcm-server.js';
import { describeWithOwnRedis, type OwnServer, startRedis } from '../support/servers.js';
import { describeWithMysql } from '../support/with-mysql.js';
import { BOB } from './fixtures.js';
import { type Instance, openInstance, type Place, pushed, together } from './pusher.js';

describeWithMysql('while the broker is away', () => {
  describeWithOwnRedis('rows wait', () => {
    let redis: OwnServer;
    let place: Place;
    let server: FcmServer;
    let at: Instance;
    beforeAll(async () => {
      redis = (await startRedis()) as OwnServer;
      place = await together('mb_test_outage:', redis.url);
      server = await startFcmServer();
      at = await openInstance(place, server);
    });
    afterAll(async () => {
      await at.close();
      await server.close();
      await place.remove();
      await redis.close();
    });

    test('sends go on without waiting, and what waits is pushed when it is back', async () => {
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
        normaliseKey: foundation.identity.normaliseKey,
        maxRecipients: foundation.config.limits.recipients,
        push: push?.notes,
      };
      await redis.kill();
      const ids = Array.from({ length: 50 }, (_, n) => `away-${n}`);
      const before = Date.now();
      for (const messageId of ids) {
        const message = { recipient: alice, messageBox: 'notifications', messageId, body: 'hello' };
        expect(await send(parts, BOB, { message })).toMatchObject({ status: 'success' });
      }
      expect(Date.now() - before).toBeLessThan(5_000);
      expect(published).toHaveLength(50);
      await until('it is told', () => at.lines.some((line) => line.includes('pushes wait in the outbox')));
      expect(await at.outbox.size(100)).toBe(50);
      expect(server.received).toEqual([]);

      await redis.start();
      await server.untilReceived(50);
      expect(pushed(server)).toEqual(ids.map((id) => `${token} ${id}`).sort());
      await until('the outbox is empty', async () => (await at.outbox.size(10)) === 0);
      for (const line of ['pushes wait in the outbox', 'pushes go on']) {
        expect(at.lines.filter((one) => one.includes(line))).toHaveLength(1);
      }
    });
  });
});
