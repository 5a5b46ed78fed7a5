import type { DeviceConnection } from '../clients/device.ts';
import type { SentMessage } from '../clients/load.ts';
import { countMessages, countUnheard, describeMissed } from './count-messages.ts';
import { withFaultTable } from './document.ts';
import type { DeviceRecord, Evidence } from './evidence.ts';
import { toJestResults } from './jest-results.ts';
import { measureRecovery, REGISTRY_LABEL } from './recovery.ts';
import { formatTable } from './table.ts';
import { describeGrowth, readUsage } from './usage.ts';
import { type Finding, findProblems } from './verdict.ts';

const BOB = 'bob';
const FAULT = { from: 1_000, until: 2_000 };

const message = (messageId: string, at: number, change: Partial<SentMessage> = {}): SentMessage => ({
  messageId,
  way: 'HTTP',
  sender: 'alice',
  recipient: BOB,
  body: `body of ${messageId}`,
  at,
  acknowledgedAt: at + 10,
  acknowledgedBy: 'HTTP',
  ...change,
});

/** A push of the message as it was sent. */
const push = (messageId: string, at: number) => ({ messageId, sender: 'alice', body: `body of ${messageId}`, at });
const connection = (pushes: DeviceConnection['pushes'], from = 0, until?: number): DeviceConnection => ({
  from,
  until,
  pushes,
});
const device = (connections: readonly DeviceConnection[], change: Partial<DeviceRecord> = {}): DeviceRecord => ({
  label: 'stays',
  key: BOB,
  isCut: false,
  connections,
  ...change,
});
const box = (...messages: readonly SentMessage[]) => new Map([[BOB, messages]]);

function count(evidence: Partial<Evidence>) {
  return countMessages({ sent: [], devices: [], boxes: new Map(), fault: FAULT, ...evidence });
}

describe('messages', () => {
  const one = message('one', 100);
  const two = message('two', 200);

  test('all is well when each is in the box once and was pushed once', () => {
    const devices = [device([connection([push('one', 110), push('two', 210)])])];
    expect(count({ sent: [one, two], devices, boxes: box(one, two) })).toEqual({
      sent: 2,
      acknowledged: 2,
      lost: 0,
      twice: 0,
      misdelivered: 0,
      missedStayed: 0,
      missedReconnected: 0,
      repeated: 0,
      again: 0,
      outOfOrder: 0,
    });
  });

  test('an acknowledged one that is not in the box is lost, even when it was pushed', () => {
    const devices = [device([connection([push('one', 110)])])];
    expect(count({ sent: [one], devices, boxes: box() })).toMatchObject({ lost: 1 });
  });

  test('one that was never acknowledged is not lost', () => {
    const unknown = message('one', 100, { acknowledgedAt: undefined });
    expect(count({ sent: [unknown], boxes: box() })).toMatchObject({ acknowledged: 0, lost: 0 });
  });

  test('one that is in the box two times is stored twice', () => {
    expect(count({ sent: [one], boxes: box(one, one) })).toMatchObject({ twice: 1, lost: 0 });
  });

  test.each<[string, Partial<Evidence>]>([
    ['in the box of somebody else', { boxes: new Map([['carol', [one]]]) }],
    ['with another body in the box', { boxes: box({ ...one, body: 'changed' }) }],
    ['with another sender in the box', { boxes: box({ ...one, sender: 'mallory' }) }],
    ['that nobody has sent', { boxes: box(message('three', 0)) }],
    ['pushed to somebody else', { devices: [device([connection([push('one', 110)])], { key: 'carol' })] }],
    ['pushed with another body', { devices: [device([connection([{ ...push('one', 110), body: 'changed' }])])] }],
  ])('one %s is misdelivered', (_what, evidence) => {
    expect(count({ sent: [one], ...evidence })).toMatchObject({ misdelivered: 1 });
  });

  test('one that a connection which stayed was not pushed is missed, acknowledged or not', () => {
    const stored = message('two', 200, { acknowledgedAt: undefined });
    const devices = [device([connection([])])];
    expect(count({ sent: [one, stored], devices, boxes: box(one, stored) })).toMatchObject({
      missedStayed: 2,
      missedReconnected: 0,
    });
  });

  test('one is missed after reconnecting when the connection was lost later, or there was none', () => {
    const devices = [device([connection([], 0, 150), connection([], 250)])];
    expect(count({ sent: [one, two], devices, boxes: box(one, two) })).toMatchObject({
      missedStayed: 0,
      missedReconnected: 2,
    });
  });

  test('what is missed is told with the times of the device', () => {
    const devices = [device([connection([push('two', 260)], 0, 1_150), connection([], 1_250)])];
    expect(describeMissed({ sent: [one, two], devices, boxes: box(one, two), fault: FAULT })).toEqual([
      "stays missed 1, sent -0.9 to -0.9 s from the fault's start (its end: 1.0 s); connected -1.0–0.1, 0.3– s",
    ]);
    expect(describeMissed({ sent: [two], devices, boxes: box(two), fault: FAULT })).toEqual([]);
  });

  test('one is not missed when a later connection was pushed it', () => {
    const devices = [device([connection([], 0, 150), connection([push('one', 260)], 250)])];
    expect(count({ sent: [one], devices, boxes: box(one) })).toMatchObject({ missedReconnected: 0, again: 0 });
  });

  test('each device of a recipient has to get it', () => {
    const devices = [device([connection([push('one', 110)])]), device([connection([])], { label: 'second' })];
    expect(count({ sent: [one], devices, boxes: box(one) })).toMatchObject({ missedStayed: 1 });
    expect(countUnheard([one], devices)).toBe(1);
  });

  test('pushes of one connection are repeats, those of a later one are not', () => {
    const twice = device([connection([push('one', 110), push('one', 120)])]);
    const again = device([connection([push('one', 110)], 0, 150), connection([push('one', 260)], 250)]);
    expect(count({ sent: [one], devices: [twice, again], boxes: box(one) })).toMatchObject({ repeated: 1, again: 1 });
  });

  test('one that comes after a later one of its sender is out of order, unless both were under way at once', () => {
    const devices = [device([connection([push('two', 210), push('one', 220)])])];
    expect(count({ sent: [one, two], devices, boxes: box(one, two) })).toMatchObject({ outOfOrder: 1 });
    const slow = message('one', 100, { acknowledgedAt: 205 });
    expect(count({ sent: [slow, two], devices, boxes: box(slow, two) })).toMatchObject({ outOfOrder: 0 });
  });
});

describe('recovery', () => {
  const before = message('before', 1_500, { acknowledgedAt: 2_100 });
  const http = message('http', 2_200, { acknowledgedAt: 2_300 });
  const live = message('live', 2_400, { acknowledgedAt: 2_500, acknowledgedBy: 'live' });
  const sent = [before, http, live];
  const measure = (devices: readonly DeviceRecord[], messages = sent) =>
    measureRecovery({ sent: messages, devices, boxes: box(), fault: FAULT });

  test('lasts until both ways and each listener work with what was begun after the end', () => {
    const devices = [device([connection([push('before', 2_050), push('http', 2_900)])])];
    expect(measure(devices)).toEqual({ ms: 900, slowest: 'push, stays', caughtUpMs: 50 });
  });

  test('is never when a listener hears nothing any more', () => {
    expect(measure([device([connection([push('before', 2_050)])])]).ms).toBe(Number.POSITIVE_INFINITY);
  });

  test('is never when no live send succeeds', () => {
    const devices = [device([connection([push('http', 2_900)])])];
    expect(measure(devices, [before, http])).toMatchObject({ ms: Number.POSITIVE_INFINITY, slowest: 'live' });
  });

  test('does not wait for listeners that are cut, or that wait by themselves', () => {
    const devices = [device([], { isCut: true }), device([], { label: REGISTRY_LABEL })];
    expect(measure(devices)).toMatchObject({ ms: 500, slowest: 'live' });
  });
});

describe('usage', () => {
  const usage = { pid: 1, bytes: 100 * 1_048_576, handles: 50 };

  test('within the slack is no growth', () => {
    expect(describeGrowth('api 0', usage, { ...usage, bytes: 240 * 1_048_576, handles: 100 })).toBeUndefined();
  });

  test('of memory or handles beyond it is told', () => {
    expect(describeGrowth('api 0', usage, { ...usage, bytes: 250 * 1_048_576 })).toBe(
      'memory of api 0 grew from 100 MB to 250 MB',
    );
    expect(describeGrowth('api 0', usage, { ...usage, handles: 111 })).toBe('handles of api 0 grew from 50 to 111');
  });

  test('of another process says nothing', () => {
    expect(describeGrowth('api 0', usage, { pid: 2, bytes: 9e9, handles: 999 })).toBeUndefined();
  });

  test('is read of a running process', () => {
    const own = readUsage(process.pid);
    // Only Linux has it.
    if (process.platform === 'linux') expect(own?.bytes).toBeGreaterThan(1_048_576);
    expect(readUsage(2 ** 30)).toBeUndefined();
  });
});

describe('the verdict', () => {
  const good: Finding = {
    fault: 'none',
    does: 'nothing',
    counts: {
      sent: 9,
      acknowledged: 9,
      lost: 0,
      twice: 0,
      misdelivered: 0,
      missedStayed: 0,
      missedReconnected: 0,
      repeated: 0,
      again: 3,
      outOfOrder: 2,
    },
    recovery: { ms: 5_000, slowest: 'live', caughtUpMs: 9_000 },
    ended: [],
    grown: [],
    unready: [],
    violations: [],
    missed: [],
    failures: new Map([['HTTP: refused', 7]]),
  };

  test('is good when no criterion is failed', () => {
    expect(findProblems(good)).toEqual([]);
    expect(formatTable([good])).toMatch(/passed$/);
  });

  test.each<[string, Partial<Finding>]>([
    ['1 acknowledged and lost', { counts: { ...good.counts, lost: 1 } }],
    ['1 stored twice', { counts: { ...good.counts, twice: 1 } }],
    ['1 misdelivered', { counts: { ...good.counts, misdelivered: 1 } }],
    ['1 missed live on connections that stayed', { counts: { ...good.counts, missedStayed: 1 } }],
    ['1 missed live after reconnecting', { counts: { ...good.counts, missedReconnected: 1 } }],
    ['1 repeated on one connection', { counts: { ...good.counts, repeated: 1 } }],
    ['1 never acknowledged', { counts: { ...good.counts, acknowledged: 8 } }],
    ['live recovered after 5.1 s', { recovery: { ...good.recovery, ms: 5_100 } }],
    ['live recovered never', { recovery: { ...good.recovery, ms: Number.POSITIVE_INFINITY } }],
    ['ended: api 0: SIGABRT', { ended: ['api 0: SIGABRT'] }],
    ['memory of api 0 grew from 1 MB to 999 MB', { grown: ['memory of api 0 grew from 1 MB to 999 MB'] }],
    ['not ready: api 0 (503)', { unready: ['api 0 (503)'] }],
    ['an event carries a wrong signature', { violations: ['an event carries a wrong signature'] }],
  ])('says: %s', (problem, change) => {
    const finding = { ...good, ...change };
    expect(findProblems(finding)).toEqual([problem]);
    expect(formatTable([finding])).toContain(`FAILED: ${problem}`);
  });

  test('the time of a recovery can be left out, but not that there was none', () => {
    const late = { ...good, recovery: { ...good.recovery, ms: 60_000 } };
    expect(findProblems(late, { ignoresRecovery: true })).toEqual([]);
    const never = { ...good, recovery: { ...good.recovery, ms: Number.POSITIVE_INFINITY } };
    expect(findProblems(never, { ignoresRecovery: true })).toEqual(['live recovered never']);
  });

  test('a trial that could not be finished failed, and one that was not run did neither', () => {
    const broken = { fault: 'a', does: 'b', broken: 'could not be finished' };
    const skipped = { fault: 'a', does: 'b', skipped: 'no library' };
    expect(findProblems(broken)).toEqual(['could not be finished']);
    expect(findProblems(skipped)).toEqual([]);
    expect(toJestResults([good, broken, skipped])).toMatchObject({ numPassedTests: 1, numFailedTests: 1 });
  });

  test('goes between the comments of the document, and nowhere else', () => {
    const empty = [
      'before',
      '<!-- faults: written by `npm run test:faults -- --write-docs` -->',
      'old',
      '<!-- end of the faults -->',
      'after',
    ].join('\n');
    const written = withFaultTable(empty, [good], ['none']);
    expect(written).toMatch(/^before\n[\s\S]*\| none \| 9 \| 9 \| 0 [\s\S]*\nafter$/);
    expect(written).not.toContain('old');
    expect(withFaultTable(written, [good], ['none'])).toBe(written);
    expect(() => withFaultTable('no comments', [good], ['none'])).toThrow('The document lacks');
  });

  test('leaves the rows of faults that were not run, and removes those of faults that are gone', () => {
    const names = ['a', 'b', 'c'];
    const of = (fault: string, sent: number) => ({ ...good, fault, counts: { ...good.counts, sent } });
    const readRows = (text: string) => [...text.matchAll(/^\| (\w+) \| (\d*) \|/gm)].map(([, ...cells]) => cells);
    const comments = [
      '<!-- faults: written by `npm run test:faults -- --write-docs` -->',
      '<!-- end of the faults -->',
    ].join('\n');
    const first = withFaultTable(comments, [of('c', 1), of('b', 1), of('gone', 1)], [...names, 'gone']);
    const second = withFaultTable(first, [of('a', 2), of('b', 2)], names);
    expect(readRows(second)).toEqual([
      ['a', '2'],
      ['b', '2'],
      ['c', '1'],
    ]);
    const skipped = { fault: 'c', does: 'nothing', skipped: 'libfaketime is not installed' };
    expect(withFaultTable(second, [skipped], names)).toBe(second);
  });
});
