import type { Kind, Sample } from '../honest/sample.ts';
import { findLongestOutage } from './outage.ts';
import { computePercentile, computeSlowdown } from './slowdown.ts';
import { formatTable } from './table.ts';
import { type Finding, findFaults } from './verdict.ts';

const sample = (at: number, ms: number, succeeded = true, kind: Kind = 'send'): Sample => ({
  kind,
  at,
  endedAt: at + ms,
  succeeded,
  refusals: succeeded ? 0 : 1,
});
const steady = (count: number, ms: number, kind: Kind = 'send') =>
  Array.from({ length: count }, (_, i) => sample(i * 10, ms, true, kind));

describe('slowdown', () => {
  test('compares each kind of operation with itself', () => {
    const quiet = [...steady(100, 4), ...steady(100, 40, 'socket')];
    const attacked = [...steady(100, 8), ...steady(100, 80, 'socket')];
    expect(computeSlowdown(quiet, attacked)).toMatchObject({ p50: 2, p99: 2 });
  });

  test('names the kind that suffers most', () => {
    const quiet = [...steady(100, 4), ...steady(100, 40, 'socket')];
    const attacked = [...steady(100, 40), ...steady(100, 80, 'socket')];
    expect(computeSlowdown(quiet, attacked).worst).toBe('send');
  });

  test('is infinite when some of a hundred never succeed', () => {
    const attacked = [...steady(98, 4), sample(0, 9, false), sample(0, 9, false)];
    expect(computeSlowdown(steady(100, 4), attacked)).toMatchObject({ p50: 1, p99: Number.POSITIVE_INFINITY });
  });

  test('percentiles are nearest ranks', () => {
    const values = Array.from({ length: 100 }, (_, i) => 100 - i);
    expect([computePercentile(values, 50), computePercentile(values, 99), computePercentile([7], 99)]).toEqual([
      50, 99, 7,
    ]);
    expect(computePercentile([], 50)).toBeNaN();
  });
});

describe('the longest outage', () => {
  test('lasts from the first that was due until one of its kind is served', () => {
    const samples = [sample(0, 5), sample(100, 3_000), sample(200, 2_500), sample(3_500, 5)];
    expect(findLongestOutage(samples)).toMatchObject({ kind: 'send', ms: 2_600 });
  });

  test('is short when others are served beside one slow answer', () => {
    expect(findLongestOutage([sample(0, 5_000), sample(50, 10), sample(100, 10)])).toMatchObject({ ms: 60 });
  });

  test('lasts until the client gives up when nothing is served any more', () => {
    expect(findLongestOutage([sample(0, 5), sample(100, 9_000, false), sample(200, 100, false)])).toMatchObject({
      ms: 9_000,
    });
  });

  test('is looked for in each kind by itself', () => {
    const samples = [sample(0, 2_000, true, 'live'), ...steady(100, 5)];
    expect(findLongestOutage(samples)).toMatchObject({ kind: 'live', ms: 2_000 });
  });
});

describe('the verdict', () => {
  const good: Finding = {
    attack: 'none',
    shape: '1 addr',
    slowdown: { p50: 1.1, p99: 2.9, worst: 'send' },
    outage: { kind: 'send', ms: 900, reason: undefined },
    memory: { before: 100, peak: 900, after: 119 },
    ended: undefined,
    ready: true,
  };

  test('is good when everything is within its limit', () => {
    expect(findFaults(good)).toEqual([]);
    const slow = { ...good, slowdown: { ...good.slowdown, p99: 50 } };
    expect(findFaults(slow)).toHaveLength(1);
    expect(findFaults(slow, { ignoresLatency: true })).toEqual([]);
  });

  test('takes another limit for the longest outage', () => {
    const paused = { ...good, outage: { kind: 'send' as const, ms: 3_400, reason: undefined } };
    expect(findFaults(paused, { maxOutageMs: 3_500 })).toEqual([]);
    expect(findFaults(paused, { maxOutageMs: 3_300 })).toEqual(['send not served for 3.4 s']);
  });

  test.each<[string, Partial<Finding>]>([
    ['p99 of 3.1 times quiet', { slowdown: { ...good.slowdown, p99: 3.1 } }],
    ['p99 of NaN times quiet', { slowdown: { ...good.slowdown, p99: Number.NaN } }],
    ['send not served for 1.1 s', { outage: { kind: 'send', ms: 1_100, reason: undefined } }],
    ['memory not given back', { memory: { before: 100, peak: 900, after: 121 } }],
    ['a process ended (api: SIGABRT)', { ended: 'api: SIGABRT' }],
    ['not ready afterwards', { ready: false }],
  ])('says: %s', (fault, change) => {
    const finding = { ...good, ...change };
    expect(findFaults(finding)).toEqual([fault]);
    expect(formatTable([finding])).toContain(`FAILED: ${fault}`);
  });
});
