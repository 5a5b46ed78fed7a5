import { randomBytes } from 'node:crypto';
import { until } from '../acceptance/history.js';
import { type FcmServer, startFcmServer } from '../support/fcm-server.js';
import { describeWithMysql } from '../support/with-mysql.js';
import { describeWithRedis } from '../support/with-redis.js';
import { countOf } from './fixtures.js';
import { alone, type Instance, openInstance, type Place, pushed, together } from './pusher.js';

const MANY = 10_000;
const OWNERS = 100;
const ROWS_AT_ONCE = 100;
const CONCURRENCY = 16;
const MOST_JOBS = 500;

/** 10,000 rows that wait: all are pushed, each once, with a bounded part of them outside of the outbox. */
function manySuite(name: string, makePlace: () => Promise<Place>, count: number): void {
  describe(name, () => {
    let place: Place;
    let server: FcmServer;
    const instances: Instance[] = [];
    beforeAll(async () => {
      place = await makePlace();
      server = await startFcmServer();
      for (let i = 0; i < count; i++) instances.push(await openInstance(place, server));
    });
    afterAll(async () => {
      for (const instance of instances) await instance.close();
      await server.close();
      await place.remove();
    });

    test(`10,000 rows and ${count} instances`, async () => {
      const [first] = instances as [Instance];
      const owners = Array.from({ length: OWNERS }, () => `02${randomBytes(32).toString('hex')}`);
      const tokens = new Map<string, string>();
      for (const owner of owners) tokens.set(owner, (await first.device(owner)).token);
      const expected: string[] = [];
      for (let done = 0; done < MANY; done += 1_000) {
        const recipients = Array.from({ length: 1_000 }, (_, n) => owners[n % OWNERS] as string);
        const ids = await first.store(...recipients);
        expected.push(...ids.map((id, n) => `${tokens.get(recipients[n] as string)} ${id}`));
      }
      expect(await first.outbox.size(2 * MANY)).toBe(MANY);

      let mostOutside = 0;
      await Promise.all(instances.map((instance) => instance.push({ mostJobs: MOST_JOBS })));
      const look = async () => {
        const left = await first.outbox.size(2 * MANY);
        mostOutside = Math.max(mostOutside, MANY - left - server.received.length);
        return server.received.length >= MANY;
      };
      await until('all are pushed', look, 150_000);
      expect(pushed(server)).toEqual(expected.sort());
      expect(mostOutside).toBeLessThanOrEqual(MOST_JOBS + count * (ROWS_AT_ONCE + CONCURRENCY));
      expect(server.mostAtOnce).toBeLessThanOrEqual(count * CONCURRENCY);
      expect(server.tokenRequests).toBe(count);
      await until('the outbox is empty', async () => (await first.outbox.size(10)) === 0);
      await until('all are counted', async () => {
        const counts = await Promise.all(instances.map(({ metrics }) => countOf(metrics, 'sent')));
        return counts.reduce((sum, n) => sum + n, 0) === MANY && counts.every((n) => n > MANY / 10);
      });
    }, 200_000);
  });
}

manySuite('many pushes of one process', alone, 1);
describeWithMysql('many pushes on a database server', () => {
  describeWithRedis('and Redis', ({ prefix }) => manySuite('by BullMQ', () => together(prefix), 2));
});
