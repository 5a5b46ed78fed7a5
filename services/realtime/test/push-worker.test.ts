import { createLogger, Metrics } from '@messagebox/shared';
import { DeviceRegistrations, prepared } from '@messagebox/store';
import { waitUntil } from '../../../tests/acceptance/history.js';
import { ALICE, createSqliteFixture, type OpenFixture, openFixture } from '../../../tests/push/fixtures.js';
import { createPushHandler, type PushOutcome, PushWorker, pushPolicy } from '../src/push/index.js';

const MANY = 300;

describe('the push worker', () => {
  let at: OpenFixture;
  let worker: PushWorker;
  let metrics: Metrics;
  let lines: string[];
  let attempts: Map<string, number>;
  beforeEach(async () => {
    at = await openFixture(createSqliteFixture);
    await at.send(Array.from({ length: MANY }, () => ALICE));
    attempts = new Map();
  });
  afterEach(async () => {
    await worker.close();
    await at.close();
  });

  /** Works {@link MANY} pushes to one device. `answer` says how the n-th attempt of a push ends. */
  function work(answer: (n: number) => PushOutcome, policy = pushPolicy): void {
    lines = [];
    metrics = new Metrics('test', {});
    const log = createLogger('test', 'info', { write: (line) => void lines.push(line) });
    const sender = {
      send: async ({ messageId }: { messageId: string }) => {
        const n = (attempts.get(messageId) ?? 0) + 1;
        attempts.set(messageId, n);
        return answer(n);
      },
      getPauseMs: () => 0,
    };
    const devices = new DeviceRegistrations(at.sql);
    const handle = createPushHandler({
      devices,
      senders: { fcm: sender, web: undefined },
      boxes: [],
      metrics,
      log,
      maxAgeMs: 86_400_000,
    });
    worker = new PushWorker(
      { outbox: at.outbox, handle, getPauseMs: sender.getPauseMs, metrics, log },
      { intervalMs: 50, leaseMs: 120_000, policy },
    );
  }

  const countEnded = async (outcome: string): Promise<number> => {
    const { values } = await metrics.jobs.get();
    return values.find(({ labels }) => labels['outcome'] === outcome)?.value ?? 0;
  };
  const waitForEnd = (outcome: string) =>
    waitUntil(
      'all have ended',
      async () => (await countEnded(outcome)) === MANY && (await at.outbox.countUpTo(1)) === 0,
    );

  test('sends what was held back more often than it may be tried, by its first attempt', async () => {
    const holds = 2 * pushPolicy.attempts;
    const haveAllBeenHeld = () => attempts.size === MANY && [...attempts.values()].every((n) => n > holds);
    work(() => (haveAllBeenHeld() ? { kind: 'sent' } : { kind: 'deferred', afterMs: 1 }));
    await waitForEnd('completed');
    expect(Math.min(...attempts.values())).toBeGreaterThan(holds);
    expect(await countEnded('retried')).toBe(0);
    expect(lines.filter((line) => line.includes('FCM has asked for a pause'))).toHaveLength(1);
  }, 60_000);

  test.each([
    ['device', 'completed'],
    ['server', 'failed'],
  ] as const)('when FCM fails up to the last attempt because of the %s, the job has %s', async (fault, outcome) => {
    work(() => ({ kind: 'later', reason: 'too often', afterMs: 1, fault }), {
      ...pushPolicy,
      attempts: 3,
      backoffMs: 1,
    });
    await waitForEnd(outcome);
    expect([...attempts.values()]).toEqual(Array.from({ length: MANY }, () => 3));
    const counted = await metrics.registry.getSingleMetricAsString('messagebox_pushes_total');
    expect(/outcome="refused"[^\n]*\} 300$/m.test(counted)).toBe(fault === 'device');
  });

  test('sends nothing for messages that have expired meanwhile', async () => {
    const expireHalf = prepared('UPDATE messages SET expires_at = ? WHERE id % 2 = 0');
    await at.sql.write(expireHalf, [at.sql.toSqlTime(new Date(Date.now() - 2_000))]);
    work(() => ({ kind: 'sent' }));
    await waitForEnd('completed');
    expect(attempts.size).toBe(MANY / 2);
    const counted = await metrics.registry.getSingleMetricAsString('messagebox_pushes_total');
    expect(counted).toMatch(/outcome="expired"[^\n]*\} 150$/m);
    expect(counted).toMatch(/outcome="sent"[^\n]*\} 150$/m);
  });

  test('fails a push that an operator must correct at once, and logs the reason', async () => {
    work(() => ({ kind: 'refused', reason: 'correct it', fault: 'server' }));
    await waitForEnd('failed');
    expect([...attempts.values()]).toEqual(Array.from({ length: MANY }, () => 1));
    expect(lines.filter((line) => line.includes('job failed') && line.includes('correct it'))).toHaveLength(MANY);
  });
});
