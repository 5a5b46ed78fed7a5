import { freezeClock } from '@messagebox/test-support/freeze-clock';
import type { PushOutcome } from '../src/push/index.js';
import { HostPauses } from '../src/push/web-push/host-pauses.js';
import { type Admission, SendBudget } from '../src/push/web-push/send-budget.js';

let release: () => void;
beforeEach(() => {
  release = freezeClock();
});
afterEach(() => release());

const FIREFOX = new URL('https://updates.push.services.mozilla.com/wpush/v2/x');

describe('the budget of pushes to browsers', () => {
  const isAdmitted = (admission: Admission) => 'release' in admission;
  /** How many of so many pushes are admitted; none of them ends. */
  const count = (budget: SendBudget, pushes: readonly (readonly [string, string])[]) =>
    pushes.filter(([url, identity]) => isAdmitted(budget.admit(new URL(url), identity))).length;
  const many = (make: (n: number) => readonly [string, string]) => Array.from({ length: 30 }, (_, n) => make(n));

  test.each([
    ['one host that is nobody’s push service', 2, (n: number) => ['https://host.example/x', `id${n}`] as const],
    ['the hosts of one site', 3, (n: number) => [`https://h${n}.site.example/x`, `id${n}`] as const],
    ['an address, each for itself', 6, (n: number) => [`https://203.0.113.${n}/x`, `id${n}`] as const],
    ['all such hosts', 6, (n: number) => [`https://h.site${n}.example/x`, `id${n}`] as const],
    ['one identity', 3, (n: number) => [`https://h.site${n}.example/x`, 'id'] as const],
    ['the push service of a browser', 8, (n: number) => [FIREFOX.href, `id${n}`] as const],
    ['one identity there', 3, () => [FIREFOX.href, 'id'] as const],
  ])('%s: %i at once', (_what, expected, make) => {
    expect(count(new SendBudget(), many(make))).toBe(expected);
  });

  test('while all other hosts hang, pushes to the push services of browsers go on', () => {
    const budget = new SendBudget();
    count(
      budget,
      many((n) => [`https://h.site${n}.example/x`, `id${n}`]),
    );
    expect(isAdmitted(budget.admit(FIREFOX, 'alice'))).toBe(true);
  });

  test('a name that only looks like a push service is another host', () => {
    for (const host of ['evilgoogleapis.com', 'push.apple.com.evil.example', 'notify.windows.com.']) {
      expect(
        count(
          new SendBudget(),
          many((n) => [`https://${host}/x`, `id${n}`]),
        ),
      ).toBe(2);
    }
  });

  test('a push that has ended makes room for another one', () => {
    const budget = new SendBudget();
    const first = budget.admit(new URL('https://host.example/x'), 'a');
    budget.admit(new URL('https://host.example/x'), 'b');
    expect(isAdmitted(budget.admit(new URL('https://host.example/x'), 'c'))).toBe(false);
    if ('release' in first) first.release();
    expect(isAdmitted(budget.admit(new URL('https://host.example/x'), 'c'))).toBe(true);
  });

  test('a long line is spread by how long its pushes take, and waits ten minutes at most', () => {
    const budget = new SendBudget();
    const url = new URL('https://host.example/x');
    const first = budget.admit(url, 'a');
    jest.setSystemTime(Date.now() + 10_000);
    if ('release' in first) first.release();
    budget.admit(url, 'a');
    budget.admit(url, 'b');
    const wait = () => (budget.admit(url, 'c') as { afterMs: number }).afterMs;
    expect([wait(), wait(), wait()]).toEqual([5_000, 10_000, 15_000]);
    for (let n = 0; n < 1_000; n++) wait();
    expect(wait()).toBe(600_000);
  });
});

describe('the pauses of hosts', () => {
  const OTHER = new URL('https://host.example/x');
  const sent: PushOutcome = { kind: 'sent' };
  const failed: PushOutcome = { kind: 'later', reason: 'no', afterMs: 0, fault: 'device' };
  const throttled: PushOutcome = { ...failed, afterMs: 60_000 };
  const refused: PushOutcome = { kind: 'refused', reason: 'no', fault: 'device' };
  const gone: PushOutcome = { kind: 'dead_token', reason: 'no' };

  test.each([
    ['503', 503, failed],
    ['403', 403, refused],
    ['410', 410, gone],
    ['no answer', undefined, failed],
  ])(
    'a host that answers with %s waits twice as long each time, up to five minutes, until a push succeeds',
    (_what, status, outcome) => {
      const pauses = new HostPauses();
      const waits = Array.from({ length: 11 }, () => {
        pauses.record(OTHER, status, outcome);
        const ms = pauses.getRemainingMs(OTHER);
        jest.setSystemTime(Date.now() + ms);
        return ms / 1_000;
      });
      expect(waits).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
      expect(pauses.isGivenUp(OTHER)).toBe(true);
      pauses.record(OTHER, 201, sent);
      expect(pauses.isGivenUp(OTHER)).toBe(false);
      pauses.record(OTHER, status, outcome);
      expect(pauses.getRemainingMs(OTHER)).toBe(1_000);
    },
  );

  test('a host that fails does not delay another one', () => {
    const pauses = new HostPauses();
    pauses.record(OTHER, 503, { ...failed, afterMs: 3_600_000 });
    expect(pauses.getRemainingMs(OTHER)).toBe(3_600_000);
    expect(pauses.getRemainingMs(new URL('https://other.example/x'))).toBeLessThanOrEqual(0);
  });

  test('the push service of a browser pauses when it says so, and is never given up', () => {
    const pauses = new HostPauses();
    // Subscriptions that strangers have made can be dead.
    for (let n = 0; n < 20; n++) pauses.record(FIREFOX, 410, gone);
    for (let n = 0; n < 20; n++) pauses.record(FIREFOX, 500, failed);
    expect(pauses.getRemainingMs(FIREFOX)).toBeLessThanOrEqual(0);
    expect(pauses.isGivenUp(FIREFOX)).toBe(false);
    pauses.record(FIREFOX, 503, { ...failed, afterMs: 20_000 });
    expect(pauses.getRemainingMs(FIREFOX)).toBe(20_000);
  });

  test('one subscription with too many pushes pauses nobody else; three in a row do', () => {
    const pauses = new HostPauses();
    const record = (path: string) => pauses.record(new URL(path, FIREFOX), 429, throttled);
    for (let n = 0; n < 5; n++) record('/same');
    expect(pauses.getRemainingMs(FIREFOX)).toBeLessThanOrEqual(0);
    for (const path of ['/a', '/b']) record(path);
    expect(pauses.getRemainingMs(FIREFOX)).toBe(60_000);
  });
});
