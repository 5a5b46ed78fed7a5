import { createLogger, Metrics, StoreUnavailableError, tendOutbox } from '@messagebox/shared';
import { until } from '../acceptance/history.js';
import { startFcmServer } from '../support/fcm-server.js';
import { startService } from '../support/processes.js';
import { describeWithMysql } from '../support/with-mysql.js';
import { describeWithRedis } from '../support/with-redis.js';
import { ALICE, BOB, countOf, type OpenFixture, openFixture, recordingLog, sqliteFixture } from './fixtures.js';
import { alone, openInstance, together } from './pusher.js';

const DAY_MS = 86_400_000;

describe('who leaves notes in the outbox', () => {
  let at: OpenFixture;
  beforeEach(async () => {
    at = await openFixture(sqliteFixture);
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

  test('drops what nobody wants to hear of any more, all of it, and counts the rest, though nobody pushes', async () => {
    await old(2_500);
    const ids = await at.send([ALICE, ALICE]);
    const metrics = new Metrics('test', {});
    const stop = tendOutbox({ ...at, metrics, log: createLogger('test', false) }, { everyMs: 50 });
    await until('the rest is counted', async () =>
      /^messagebox_push_outbox_rows\{.*\} 2$/m.test(await metrics.registry.metrics()),
    );
    await stop();
    expect((await at.outbox.claim(10, 1)).map(({ messageId }) => messageId)).toEqual(ids);
    expect(await countOf(metrics, 'expired')).toBe(2_500);
  });

  test('goes on when the database was away', async () => {
    await old(1);
    const { lines, log } = recordingLog();
    const drop = jest.spyOn(at.outbox, 'dropOlder').mockRejectedValueOnce(new StoreUnavailableError(new Error('away')));
    const stop = tendOutbox({ ...at, log }, { everyMs: 50 });
    await until('it is dropped', async () => (await at.outbox.size(10)) === 0);
    await stop();
    expect(drop.mock.calls.length).toBeGreaterThan(1);
    expect(lines.filter((line) => line.includes('could not drop old pushes'))).toHaveLength(1);
  });
});

describe('is every process that leaves notes', () => {
  test('who pushes', async () => {
    const [place, server] = [await alone(), await startFcmServer()];
    const at = await openInstance(place, server);
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
      test('api, whether or not anybody pushes', async () => {
        const [place, server] = [await together(prefix), await startFcmServer()];
        const at = await openInstance(place, server); // migrates
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
