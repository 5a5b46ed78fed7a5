import { randomBytes } from 'node:crypto';
import { until } from '../acceptance/history.js';
import { type FcmServer, startFcmServer, throttled } from '../support/fcm-server.js';
import { describeWithMysql } from '../support/with-mysql.js';
import { describeWithRedis } from '../support/with-redis.js';
import { countOf } from './fixtures.js';
import { alone, type Instance, openInstance, type Place, pushed, together } from './pusher.js';

const MANY = 10_000;
const OWNERS = 100;
const ROWS_AT_ONCE = 100;
const CONCURRENCY = 16;
const MOST_JOBS = 500;
const QUIET_MS = 200;

/** @returns what is to be pushed of them */
async function storeMany(at: Instance): Promise<string[]> {
  const owners = Array.from({ length: OWNERS }, () => `02${randomBytes(32).toString('hex')}`);
  const tokens = new Map<string, string>();
  for (const owner of owners) tokens.set(owner, (await at.device(owner)).token);
  const expected: string[] = [];
  for (let done = 0; done < MANY; done += 1_000) {
    const recipients = Array.from({ length: 1_000 }, (_, n) => owners[n % OWNERS] as string);
    const ids = await at.store(...recipients);
    expected.push(...ids.map((id, n) => `${tokens.get(recipients[n] as string)} ${id}`));
  }
  expect(await at.outbox.size(2 * MANY)).toBe(MANY);
  return expected.sort();
}

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
      const expected = await storeMany(first);

      let mostOutside = 0;
      await Promise.all(instances.map((instance) => instance.push({ mostJobs: MOST_JOBS })));
      const look = async () => {
        const left = await first.outbox.size(2 * MANY);
        mostOutside = Math.max(mostOutside, MANY - left - server.received.length);
        return server.received.length >= MANY;
      };
      await until('all are pushed', look, 150_000);
      expect(pushed(server)).toEqual(expected);
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

/** The same while FCM has enough again and again: what it refuses comes later, and nothing is given up. */
function throttledSuite(name: string, makePlace: () => Promise<Place>): void {
  test(`10,000 rows ${name}, throttled after each 1,000`, async () => {
    const place = await makePlace();
    const server = await startFcmServer();
    const at = await openInstance(place, server);
    try {
      const expected = await storeMany(at);
      const taken = new Set<string>();
      let quietUntil = 0;
      server.answer = ({ token, message }) => {
        if (Date.now() < quietUntil) return throttled();
        taken.add(`${token} ${(message['data'] as { messageId: string }).messageId}`);
        if (taken.size % 1_000 === 0) quietUntil = Date.now() + QUIET_MS;
        return undefined;
      };
      await at.push({ mostJobs: MOST_JOBS, fcm: { quotaPauseMs: QUIET_MS / 2 } });
      await until('all are taken', () => taken.size === MANY, 150_000);
      expect([...taken].sort()).toEqual(expected);
      await until('all are counted', async () => (await countOf(at.metrics, 'sent')) === MANY);
      const retried = await countOf(at.metrics, 'retried');
      expect(retried).toBe(server.received.length - MANY);
      // While it is quiet, a few probe: not each of those that wait.
      expect(retried).toBeLessThan(10 * 4 * CONCURRENCY);
      expect(await at.metrics.registry.metrics()).not.toMatch(/^messagebox_jobs_total\{.*outcome="failed"/m);
    } finally {
      await at.close();
      await server.close();
      await place.remove();
    }
  }, 200_000);
}

manySuite('many pushes of one process', alone, 1);
throttledSuite('of one process', alone);
describeWithMysql('many pushes on a database server', () => {
  describeWithRedis('and Redis', ({ prefix }) => {
    manySuite('by BullMQ', () => together(prefix), 2);
    throttledSuite('by BullMQ', () => together(prefix));
  });
});
