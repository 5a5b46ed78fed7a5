import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Health } from '../src/health/health.js';
import { InstanceReporter } from '../src/instances/instance-reporter.js';
import { InProcessInstanceStore } from '../src/instances/instance-store.js';
import { estimatePercentiles, LATENCY_BUCKETS_MS } from '../src/instances/latency-histogram.js';
import { HISTORY_ENTRIES, InProcessStatsHistory } from '../src/instances/stats-history.js';
import { summariseInstances } from '../src/instances/summary.js';
import { VERSION } from '../src/instances/version.js';
import { createLogger } from '../src/logging/logger.js';
import { Metrics } from '../src/metrics/metrics.js';

const log = createLogger('test', 'info', { write: () => undefined });

test('the version is that of the packages', () => {
  const manifest = readFileSync(join(import.meta.dirname, '../../../package.json'), 'utf8');
  expect(VERSION).toBe((JSON.parse(manifest) as { version: string }).version);
});

describe('percentiles', () => {
  const countsOf = (counts: Readonly<Record<number, number>>) =>
    [...LATENCY_BUCKETS_MS, Number.POSITIVE_INFINITY].map((end) => counts[end] ?? 0);

  test('are null when nothing was counted', () => {
    expect(estimatePercentiles(countsOf({}))).toEqual({ p50: null, p95: null, p99: null });
  });

  test('lie evenly within their bucket', () => {
    expect(estimatePercentiles(countsOf({ 10: 100 }))).toEqual({ p50: 7.5, p95: 9.8, p99: 10 });
  });

  test('of longer ones are the end of the last bucket', () => {
    expect(estimatePercentiles(countsOf({ 5: 1, [Number.POSITIVE_INFINITY]: 9 })).p50).toBe(10_000);
  });
});

describe('what an instance says of itself', () => {
  test('has its counts, its state and what is wrong', async () => {
    const store = new InProcessInstanceStore();
    const save = jest.spyOn(store, 'save');
    const metrics = new Metrics('test', {});
    const health = new Health();
    let problem: string | undefined;
    health.add('database', () => problem);
    const reporter = new InstanceReporter({
      service: 'api',
      store,
      metrics,
      health,
      log,
      address: 'http://10.0.0.7:1',
    });
    try {
      await reporter.markStarted();
      metrics.limitsHit.inc({ limit: 'sends' }, 3);
      metrics.messages.inc({ outcome: 'stored' }, 7);
      metrics.deliveryLatency.observe(0.004);
      await reporter.markStarted();
      const [snapshot] = await store.list();
      expect(snapshot).toMatchObject({
        id: reporter.id,
        service: 'api',
        version: VERSION,
        state: 'ready',
        reasons: [],
        address: 'http://10.0.0.7:1',
        limitsHit: { sends: 3 },
      });
      expect(save.mock.calls.some(([{ rates }]) => rates.messagesPerSecond > 0)).toBe(true);
      expect(summariseInstances(snapshot ? [snapshot, snapshot] : [])).toMatchObject({
        deliveryLatencyMs: { p50: 3.8 },
        limitsHit: [{ name: 'sends', count: 6 }],
      });
      problem = 'does not answer';
      await reporter.markStarted();
      expect((await store.list())[0]).toMatchObject({ state: 'not ready', reasons: ['database: does not answer'] });
      health.drain();
      await reporter.markStarted();
      expect((await store.list())[0]).toMatchObject({ state: 'draining' });
    } finally {
      await reporter.close();
    }
    expect(await store.list()).toEqual([]);
  });
});

test('the history keeps 15 minutes', async () => {
  const history = new InProcessStatsHistory();
  const entry = { messagesPerSecond: 0, sockets: 0, p95: null };
  for (let i = 0; i <= HISTORY_ENTRIES; i++) await history.add({ ...entry, time: String(i) });
  const entries = await history.list();
  expect(entries).toHaveLength(HISTORY_ENTRIES);
  expect(entries[0]?.time).toBe('1');
});
