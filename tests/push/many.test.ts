import { randomBytes } from 'node:crypto';
import { createThrottledAnswer, type FcmServer, startFcmServer } from '@messagebox/test-support/fcm-server';
import { describeWithMysql } from '@messagebox/test-support/with-mysql';
import { describeWithRedis } from '@messagebox/test-support/with-redis';
import { waitUntil } from '../acceptance/history.js';
import { readPushCount } from './fixtures.js';
import {
  createLocalDeployment,
  createSharedDeployment,
  type Instance,
  listPushed,
  type PushDeployment,
  startInstance,
} from './push-deployment.js';

const MANY = 2_000;
const OWNERS = 100;
const CONCURRENCY = 16;
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
  expect(await at.outbox.countUpTo(2 * MANY)).toBe(MANY);
  return expected.sort();
}

/** 2,000 rows that wait: all are pushed, each once, and each stays in the outbox until it is. */
function manySuite(name: string, makePlace: () => Promise<PushDeployment>, count: number): void {
  describe(name, () => {
    let place: PushDeployment;
    let server: FcmServer;
    const instances: Instance[] = [];
    beforeAll(async () => {
      place = await makePlace();
      server = await startFcmServer();
      for (let i = 0; i < count; i++) instances.push(await startInstance(place, server));
    });
    afterAll(async () => {
      for (const instance of instances) await instance.close();
      await server.close();
      await place.remove();
    });

    test(`2,000 rows and ${count} instances`, async () => {
      const [first] = instances as [Instance];
      const expected = await storeMany(first);

      let mostOutside = 0;
      await Promise.all(instances.map((instance) => instance.push()));
      const look = async () => {
        const left = await first.outbox.countUpTo(2 * MANY);
        mostOutside = Math.max(mostOutside, MANY - left - server.received.length);
        return server.received.length >= MANY;
      };
      await waitUntil('all are pushed', look, 150_000);
      expect(listPushed(server)).toEqual(expected);
      expect(mostOutside).toBeLessThanOrEqual(0);
      expect(server.maxConcurrent).toBeLessThanOrEqual(count * CONCURRENCY);
      expect(server.tokenRequests).toBe(count);
      await waitUntil('the outbox is empty', async () => (await first.outbox.countUpTo(10)) === 0);
      await waitUntil('all are counted', async () => {
        const counts = await Promise.all(instances.map(({ metrics }) => readPushCount(metrics, 'sent')));
        return counts.reduce((sum, n) => sum + n, 0) === MANY && counts.every((n) => n > MANY / 10);
      });
    }, 200_000);
  });
}

/** The same while FCM throttles again and again: what it refuses is sent later, and nothing is given up. */
function throttledSuite(name: string, makePlace: () => Promise<PushDeployment>): void {
  test(`2,000 rows ${name}, throttled after each 200`, async () => {
    const place = await makePlace();
    const server = await startFcmServer();
    const at = await startInstance(place, server);
    try {
      const expected = await storeMany(at);
      const taken = new Set<string>();
      let quietUntil = 0;
      server.answer = ({ token, message }) => {
        if (Date.now() < quietUntil) return createThrottledAnswer();
        taken.add(`${token} ${(message['data'] as { messageId: string }).messageId}`);
        if (taken.size % 200 === 0) quietUntil = Date.now() + QUIET_MS;
        return undefined;
      };
      await at.push({ fcm: { quotaPauseMs: QUIET_MS / 2 } });
      await waitUntil('all are taken', () => taken.size === MANY, 150_000);
      expect([...taken].sort()).toEqual(expected);
      await waitUntil('all are counted', async () => (await readPushCount(at.metrics, 'sent')) === MANY);
      const retried = await readPushCount(at.metrics, 'retried');
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

manySuite('many pushes of one process', createLocalDeployment, 1);
throttledSuite('of one process', createLocalDeployment);
describeWithMysql('many pushes on a database server', () => {
  describeWithRedis('and Redis', ({ prefix }) => {
    manySuite('by several instances', () => createSharedDeployment(prefix), 2);
    throttledSuite('on a database server', () => createSharedDeployment(prefix));
  });
});
