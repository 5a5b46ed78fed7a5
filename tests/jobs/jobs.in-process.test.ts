import {
  computeRetryDelay,
  createLogger,
  defaultJobPolicy,
  InProcessJobQueue,
  JobsUnavailableError,
  Metrics,
  RetryJobError,
} from '@messagebox/shared';
import { startProcess } from '@messagebox/test-support/managed-process';
import { jobsSuite } from './jobs-suite.js';

describe('jobs in process', () => {
  jobsSuite(async ({ policy, ...parts }) => {
    const only = new InProcessJobQueue('test', parts, policy);
    return [only, only];
  });

  test('a queue that is full takes no more, and what it has stays', async () => {
    const parts = { log: createLogger('test', 'info', { write: () => undefined }), metrics: new Metrics('test', {}) };
    const queue = new InProcessJobQueue('test', parts, defaultJobPolicy);
    const jobs = (count: number) => Array.from({ length: count }, () => ({ name: 'x', data: {} }));
    await queue.addAll(jobs(99_999));
    await expect(queue.addAll(jobs(2))).rejects.toThrow(JobsUnavailableError);
    await queue.add('x', {});
    await expect(queue.add('x', {})).rejects.toThrow(JobsUnavailableError);
    expect((await queue.counts()).waiting).toBe(100_000);
    await queue.close();
  });

  test('what waits for its time does not keep the process alive', async () => {
    const script = `
      import { InProcessJobQueue, Metrics, createLogger, defaultJobPolicy } from '@messagebox/shared';
      const parts = { log: createLogger('t', 'info'), metrics: new Metrics('t', {}) };
      const queue = new InProcessJobQueue('t', parts, defaultJobPolicy);
      queue.work({ x: async () => undefined }, { concurrency: 1 });
      await queue.add('x', {}, { delayMs: 3_600_000 });
      await queue.repeat('x', 3_600_000, { first: 'later' });
      console.log('all is set');`;
    const child = startProcess(process.execPath, ['--input-type=module', '-e', script], {
      cwd: import.meta.dirname,
    });
    await child.waitForLine((line) => line === 'all is set');
    expect(await child.exited).toEqual({ code: 0, signal: null });
  });
});

describe('the pause before another attempt', () => {
  const policy = { ...defaultJobPolicy, backoffMs: 100, maxBackoffMs: 1_000 };
  const error = new Error();

  test('doubles up to its maximum, spread over its upper half', () => {
    expect([1, 2, 3, 4, 5, 50, 5_000].map((attempt) => computeRetryDelay(policy, attempt, error, 0))).toEqual([
      50, 100, 200, 400, 500, 500, 500,
    ]);
    expect([1, 2, 3, 4, 5].map((attempt) => computeRetryDelay(policy, attempt, error, 0.9999))).toEqual([
      100, 200, 400, 800, 1_000,
    ]);
  });

  test('is as long as was asked for, and never out of range', () => {
    const after = (afterMs: number) => computeRetryDelay(policy, 1, new RetryJobError('', { afterMs }), 0);
    expect([after(5_000), after(60), after(10), after(1e300)]).toEqual([5_000, 60, 50, 2 ** 31 - 1]);
    expect([after(-1), after(Number.NaN)]).toEqual([50, 50]);
    expect(computeRetryDelay({ ...policy, backoffMs: 0 }, 1, error, 0)).toBe(1);
  });
});
