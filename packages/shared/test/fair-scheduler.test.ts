import { setImmediate } from 'node:timers/promises';
import { freezeClock } from '@messagebox/test-support/freeze-clock';
import { FairScheduler, type FairSchedulerOptions } from '../src/admission/fair-scheduler.js';
import { TooManyRequestsError } from '../src/limits/rate-limit.js';

/** A scheduler whose clock is moved only by the work that runs. */
function setUp(options: FairSchedulerOptions = {}) {
  const clock = { now: 0, busy: 0 };
  const scheduler = new FairScheduler({ sliceMs: 1, now: () => clock.now, busyMs: () => clock.busy, ...options });
  const done: string[] = [];
  const ask = (address: string, ms: number, name = address, identityKey?: string) =>
    scheduler.run({ address, identityKey }, () => {
      clock.now += ms;
      done.push(name);
      return name;
    });
  return { clock, scheduler, done, ask };
}

/** Waits until no work is left. */
async function settle(scheduler: FairScheduler): Promise<void> {
  while (scheduler.waiting > 0) await setImmediate();
}

describe('a fair scheduler', () => {
  let unfreeze = () => {};
  afterEach(() => unfreeze());

  test('runs work at once while there is time in the turn', async () => {
    const { done, ask } = setUp();
    const result = ask('a', 0.5);
    expect(done).toEqual(['a']);
    expect(await result).toBe('a');
  });

  test('serves a newcomer before the waiting work of a busy source', async () => {
    const { scheduler, done, ask } = setUp();
    for (let i = 0; i < 100; i++) void ask('busy', 1, `busy ${i}`);
    await ask('newcomer', 1);
    expect(done.indexOf('newcomer')).toBeLessThan(5);
    await settle(scheduler);
    expect(done).toHaveLength(101);
  });

  test('divides time among addresses by their cost, not by their number of requests', async () => {
    const { scheduler, done, ask } = setUp({ halfLifeMs: 1e9 });
    for (let i = 0; i < 50; i++) void ask('heavy', 4, 'heavy');
    for (let i = 0; i < 200; i++) void ask('light', 1, 'light');
    while (done.length < 100) await setImmediate();
    const heavy = done.slice(0, 100).filter((name) => name === 'heavy').length;
    expect(heavy).toBeGreaterThan(15);
    expect(heavy).toBeLessThan(25);
    await settle(scheduler);
  });

  test('gives many identities at one address no more time than one identity at another address', async () => {
    const { scheduler, done, ask } = setUp({ halfLifeMs: 1e9 });
    for (let i = 0; i < 100; i++) void ask('crowd', 1, 'crowd', `identity ${i}`);
    for (let i = 0; i < 50; i++) void ask('other', 1, 'other', 'somebody');
    while (done.length < 60) await setImmediate();
    expect(done.slice(0, 60).filter((name) => name === 'other').length).toBeGreaterThan(25);
    await settle(scheduler);
  });

  test('serves the identities of one address by the cost of each', async () => {
    const { scheduler, done, ask } = setUp();
    for (let i = 0; i < 50; i++) void ask('office', 1, 'busy', 'busy');
    void ask('office', 1, 'quiet', 'quiet');
    await settle(scheduler);
    expect(done.indexOf('quiet')).toBeLessThan(5);
  });

  test('gives a proven identity at many addresses no more time than one at a single address', async () => {
    const { clock, scheduler, done } = setUp({ halfLifeMs: 1e9 });
    const ask = (address: string, identityKey: string, ms: number) => {
      const source = { address, identityKey, isProven: true };
      scheduler.noteProven(source);
      void scheduler.run(source, () => {
        clock.now += ms;
        done.push(identityKey);
      });
    };
    for (let i = 0; i < 100; i++) ask(`address ${i % 10}`, 'everywhere', 1);
    for (let i = 0; i < 50; i++) ask('home', 'somebody', 1);
    while (done.length < 60) await setImmediate();
    expect(done.slice(0, 60).filter((name) => name === 'somebody').length).toBeGreaterThan(25);
    await settle(scheduler);
  });

  test('does not charge an identity for clients that only claim to be it', async () => {
    const { clock, scheduler, done } = setUp({ halfLifeMs: 1e9 });
    scheduler.charge({ address: 'stranger', identityKey: 'victim' }, 1_000);
    const ask = (address: string, identityKey: string) =>
      void scheduler.run({ address, identityKey, isProven: true }, () => {
        clock.now += 2;
        done.push(identityKey);
      });
    ask('filler', 'filler');
    scheduler.charge({ address: 'office', identityKey: 'other', isProven: true }, 5);
    ask('office', 'other');
    ask('home', 'victim');
    await settle(scheduler);
    expect(done).toEqual(['filler', 'victim', 'other']);
  });

  test('keeps the order of the work of one source', async () => {
    const { scheduler, done, ask } = setUp();
    for (let i = 0; i < 20; i++) void ask('a', 1, String(i));
    await settle(scheduler);
    expect(done).toEqual(Array.from({ length: 20 }, (_, i) => String(i)));
  });

  test('forgets the cost of a source after a while', async () => {
    const { clock, scheduler, done, ask } = setUp({ halfLifeMs: 100 });
    scheduler.charge({ address: 'once busy' }, 1_000);
    clock.now += 3_000;
    scheduler.charge({ address: 'other' }, 5);
    void ask('filler', 2, 'filler');
    void ask('other', 1, 'other');
    void ask('once busy', 1, 'once busy');
    await settle(scheduler);
    expect(done).toEqual(['filler', 'once busy', 'other']);
  });

  test('lets a penalty delay a source', async () => {
    const { scheduler, done, ask } = setUp();
    scheduler.charge({ address: 'failing' }, 50);
    void ask('filler', 2, 'filler');
    void ask('failing', 1, 'failing');
    void ask('honest', 1, 'honest');
    await settle(scheduler);
    expect(done).toEqual(['filler', 'honest', 'failing']);
  });

  test('rejects with the error of the work', async () => {
    const { scheduler } = setUp();
    const fail = () =>
      scheduler.run({ address: 'a' }, () => {
        throw new Error('no');
      });
    await expect(fail()).rejects.toThrow('no');
  });

  test('runs the work of a light proven address at once, without waiting for a turn', () => {
    const { scheduler, done, ask } = setUp();
    scheduler.noteProven({ address: 'known' });
    for (let i = 0; i < 10; i++) void ask('busy', 2, 'busy');
    void ask('known', 0.5);
    expect(done).toEqual(['busy', 'known']);
    // The second piece of work exceeds the slice of this address in this turn, so the third one waits.
    void ask('known', 0.6, 'second');
    void ask('known', 0.6, 'third');
    expect(done).toEqual(['busy', 'known', 'second']);
  });

  test.each<[what: string, proven: string, light: string, heavy: (i: number) => string]>([
    ['an address that uses most of the loop leave gaps, while others are present', 'busy', 'other', () => 'busy'],
    ['many addresses without a proven identity leave gaps together', 'known', 'known', (i) => `stranger ${i}`],
  ])('makes %s', async (_what, proven, light, heavy) => {
    unfreeze = freezeClock();
    const { clock, scheduler, done, ask } = setUp({ halfLifeMs: 100 });
    scheduler.noteProven({ address: proven });
    await ask(light, 0.1);
    for (let i = 0; i < 100; i++) void ask(heavy(i), 1, 'heavy');
    // While the clock stands still, the gap that follows a piece of work does not end.
    while (done.length < 48) await setImmediate();
    for (let i = 0; i < 20; i++) await setImmediate();
    expect(done.length).toBeLessThan(75);
    await ask(light, 0.1, 'in the gap');
    expect(done.at(-1)).toBe('in the gap');
    while (scheduler.waiting > 0) {
      clock.now += 1;
      jest.advanceTimersByTime(1);
      await setImmediate();
    }
    expect(done.filter((name) => name === 'heavy')).toHaveLength(100);
  });

  test('lets a single address use the whole loop', async () => {
    const { scheduler, done, ask } = setUp({ halfLifeMs: 100 });
    for (let i = 0; i < 200; i++) void ask('busy', 1);
    await settle(scheduler);
    expect(done).toHaveLength(200);
  });

  test('lets two heavy addresses share the whole loop when there are no others', async () => {
    unfreeze = freezeClock();
    const { scheduler, done, ask } = setUp({ halfLifeMs: 1_000 });
    for (const address of ['one', 'two']) {
      scheduler.noteProven({ address });
      scheduler.charge({ address }, 1_000);
    }
    for (let i = 0; i < 100; i++) for (const address of ['one', 'two']) void ask(address, 1);
    // With gaps this would never end, because the clock is frozen.
    await settle(scheduler);
    expect(done).toHaveLength(200);
  });

  test('charges the other work of the loop to the sources in proportion to their measured work', async () => {
    const { clock, scheduler, done, ask } = setUp({ halfLifeMs: 1e9 });
    await ask('cheap', 200.5);
    // In this interval the loop is busy for twice as long as the measured work takes.
    clock.busy += 401;
    await ask('starts the account', 200.5);
    await setImmediate();
    await ask('costly', 150);
    void ask('filler', 2);
    void ask('costly', 1);
    void ask('cheap', 1);
    await settle(scheduler);
    expect(done.slice(-2)).toEqual(['cheap', 'costly']);
  });

  test('refuses the work of one address beyond its limit, and no work of others', async () => {
    const { done, ask } = setUp({ maxWaitingPerAddress: 3 });
    void ask('filler', 2, 'filler');
    const answers = Promise.allSettled(Array.from({ length: 5 }, (_, i) => ask('a', 0.1, `a ${i}`)));
    const other = ask('b', 0.1);
    expect((await answers).map(({ status }) => status)).toEqual([
      ...['fulfilled', 'fulfilled', 'fulfilled', 'rejected', 'rejected'],
    ]);
    await other;
    expect(done).toHaveLength(5);
  });

  test('refuses work that has waited for too long', async () => {
    const { clock, ask } = setUp({ maxWaitMs: 10 });
    void ask('filler', 2);
    const late = ask('a', 1);
    clock.now += 100;
    await expect(late).rejects.toThrow(TooManyRequestsError);
  });
});
