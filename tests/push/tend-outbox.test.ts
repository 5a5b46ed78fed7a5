import { createLogger, Metrics, startOutboxPruning } from '@messagebox/shared';
import { StoreUnavailableError } from '@messagebox/store';
import { startFcmServer } from '@messagebox/test-support/fcm-server';
import { describeWithMysql } from '@messagebox/test-support/with-mysql';
import { describeWithRedis } from '@messagebox/test-support/with-redis';
import { waitUntil } from '../acceptance/history.js';
import { startService } from '../support/service-process.js';
import {
  ALICE,
  BOB,
  createRecordingLog,
  createSqliteFixture,
  type OpenFixture,
  openFixture,
  readPushCount,
} from './fixtures.js';
import { createLocalDeployment, createSharedDeployment, startInstance } from './push-deployment.js';

const DAY_MS = 86_400_000;

describe('pruning the outbox', () => {
  let at: OpenFixture;
  beforeEach(async () => {
    at = await openFixture(createSqliteFixture);
  });
  afterEach(() => at.close());

  const old = (count: number) =>
    at.outbox.add(
      at.sql,
      Array.from({ length: count }, (_, n) => ({
        recipient: ALICE,
        messageBox: 'notifications',
        messageId: `old-${n}`,
        sender: BOB,
        body: 'b',
      })),
      Date.now() - DAY_MS - 1_000,
    );

  test('deletes all rows that are too old and counts the rest, without a process that pushes', async () => {
    await old(2_500);
    const ids = await at.send([ALICE, ALICE]);
    const metrics = new Metrics('test', {});
    const stop = startOutboxPruning({ ...at, metrics, log: createLogger('test', 'info') }, { everyMs: 50 });
    await waitUntil('the rest is counted', async () =>
      /^messagebox_push_outbox_rows\{.*\} 2$/m.test(await metrics.registry.metrics()),
    );
    await stop();
    expect((await at.outbox.claim(10, 1)).map(({ messageId }) => messageId)).toEqual(ids);
    expect(await readPushCount(metrics, 'expired')).toBe(2_500);
  });

  test('continues after the database was away', async () => {
    await old(1);
    const { lines, log } = createRecordingLog();
    const drop = jest
      .spyOn(at.outbox, 'deleteOlderThan')
      .mockRejectedValueOnce(new StoreUnavailableError(new Error('away')));
    const stop = startOutboxPruning({ ...at, log }, { everyMs: 50 });
    await waitUntil('it is dropped', async () => (await at.outbox.countUpTo(10)) === 0);
    await stop();
    expect(drop.mock.calls.length).toBeGreaterThan(1);
    expect(lines.filter((line) => line.includes('push outbox pruning'))).toHaveLength(1);
  });
});

describe('the processes that prune the outbox', () => {
  test('include those that push', async () => {
    const [place, server] = [await createLocalDeployment(), await startFcmServer()];
    const at = await startInstance(place, server);
    try {
      await at.push();
      expect(await at.metrics.registry.metrics()).toContain('messagebox_push_outbox_rows');
    } finally {
      await at.close();
      await server.close();
      await place.remove();
    }
  });

  describeWithMysql('with a database server', () => {
    describeWithRedis('and Redis', ({ prefix }) => {
      test('include api, whether or not a process pushes', async () => {
        const [place, server] = [await createSharedDeployment(prefix), await startFcmServer()];
        const at = await startInstance(place, server); // migrates
        const env = {
          ...place.env,
          SERVER_PRIVATE_KEY: '11'.repeat(32),
          ENABLE_FIREBASE: 'true',
          HOST: '127.0.0.1',
          INTERNAL_PORT: '0',
          INTERNAL_HOST: '127.0.0.1',
        };
        const api = await startService({ name: 'api', env });
        try {
          const { url } = JSON.parse(await api.waitForLog('metrics and health')) as { url: string };
          expect(await (await fetch(`${url}/metrics`)).text()).toContain('messagebox_push_outbox_rows');
        } finally {
          await api.kill();
          await at.close();
          await server.close();
          await place.remove();
        }
      });
    });
  });
});
