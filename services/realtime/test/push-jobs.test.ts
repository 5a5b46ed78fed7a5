import { createLogger, type Device, InProcessJobs, type JobQueue, Metrics } from '@messagebox/shared';
import { until } from '../../../tests/acceptance/history.js';
import { handlePush, PUSH_JOB, type PushOutcome, pushJob, pushJobPolicy } from '../src/push/index.js';

const OWNER = `02${'a1'.repeat(32)}`;
const MANY = 300;

describe('jobs of pushes', () => {
  let queue: JobQueue;
  let metrics: Metrics;
  let lines: string[];
  afterEach(() => queue.close());

  /** Works {@link MANY} pushes to one device; `answer` says how the n-th try of one ends. */
  async function work(answer: (n: number) => PushOutcome, policy = pushJobPolicy): Promise<string[]> {
    lines = [];
    metrics = new Metrics('test', {});
    const log = createLogger('test', false, { write: (line) => void lines.push(line) });
    queue = new InProcessJobs('push', { log, metrics }, policy);
    const tries = new Map<string, number>();
    const sender = {
      send: async ({ messageId }: { messageId: string }) => {
        const n = (tries.get(messageId) ?? 0) + 1;
        tries.set(messageId, n);
        return answer(n);
      },
    };
    const now = new Date();
    const device: Device = {
      id: 7,
      identityKey: OWNER,
      fcmToken: 'token',
      deviceId: undefined,
      platform: undefined,
      active: true,
      createdAt: now,
      updatedAt: now,
      lastUsed: now,
    };
    const devices = { find: async () => device, used: async () => undefined, deactivate: async () => undefined };
    queue.work(
      { [PUSH_JOB]: handlePush({ devices, sender, metrics, log, maxAgeMs: 86_400_000 }) },
      { concurrency: 16 },
    );
    const row = { recipient: OWNER, sender: OWNER, createdAt: Date.now() };
    return await queue.addAll(
      Array.from({ length: MANY }, (_, n) => pushJob({ ...row, id: n, messageId: `m${n}` }, device.id)),
    );
  }

  test('those that are held back more often than they may be tried are all sent, by their first attempt', async () => {
    const holds = 2 * pushJobPolicy.attempts;
    const ids = await work((n) => (n <= holds ? { kind: 'held', afterMs: 1 } : { kind: 'sent' }));
    await until('all have ended', async () => {
      const { completed, failed } = await queue.counts();
      return completed + failed === MANY;
    });
    for (const id of ids) expect(await queue.find(id)).toMatchObject({ state: 'completed', attempts: 1 });
    expect(lines.filter((line) => line.includes('FCM has asked for a pause'))).toHaveLength(1);
  });

  test.each([
    ['device', 'completed'],
    ['server', 'failed'],
  ] as const)('put off to the last try, of which the %s is at fault: %s', async (fault, state) => {
    const policy = { ...pushJobPolicy, attempts: 3, backoffMs: 1 };
    const ids = await work(() => ({ kind: 'later', reason: 'too often', afterMs: 1, fault }), policy);
    await until('all have ended', async () => (await queue.counts())[state] === MANY);
    expect(await queue.find(ids[0] as string)).toMatchObject({ attempts: 3 });
    const counted = await metrics.registry.getSingleMetricAsString('messagebox_pushes_total');
    expect(/outcome="refused"[^\n]*\} 300$/m.test(counted)).toBe(fault === 'device');
  });

  test('what somebody must mend fails the job, with its reason', async () => {
    const ids = await work(() => ({ kind: 'refused', reason: 'mend it', fault: 'server' }));
    await until('all have failed', async () => (await queue.counts()).failed === MANY);
    expect(await queue.find(ids[0] as string)).toMatchObject({ reason: 'mend it', attempts: 1 });
  });
});
