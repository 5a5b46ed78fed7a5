import { createRateLimit, type Rate, type RateLimit, TooManyRequestsError } from '../src/limits/rate-limit.js';
import { type CountStore, SharedCounts } from '../src/limits/shared-counts.js';

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

/** A store that all instances of a test share. It records the batches. */
class Store implements CountStore {
  readonly batches: ReadonlyMap<string, number>[] = [];
  readonly #counts = new Map<string, { count: number; endsAt: number }>();
  state: 'up' | 'away' | 'hanging' = 'up';

  constructor(private readonly seconds: number) {}

  async add(batch: ReadonlyMap<string, number>) {
    this.batches.push(batch);
    if (this.state === 'away') throw new Error('away');
    if (this.state === 'hanging') await new Promise(() => {});
    return [...batch].map(([key, more]) => {
      const now = Date.now();
      const had = this.#counts.get(key);
      const counted = had === undefined || had.endsAt <= now ? { count: 0, endsAt: now + this.seconds * 1_000 } : had;
      counted.count += more;
      this.#counts.set(key, counted);
      return { count: counted.count, msLeft: counted.endsAt - now };
    });
  }
}

function instance(store: Store, rate: Rate): { limit: RateLimit; counts: SharedCounts; hits: () => number } {
  let hits = 0;
  const counts = new SharedCounts(store, { limit: rate.count, now: () => Date.now() });
  const onHit = () => {
    hits += 1;
  };
  return { limit: createRateLimit({ rate, onHit, shared: counts }), counts, hits: () => hits };
}

async function admitted(limit: RateLimit, times: number, key = 'alice', cost = 1): Promise<number> {
  let count = 0;
  for (let i = 0; i < times; i++) {
    await limit.admit(key, cost).then(
      () => {
        count += 1;
      },
      () => undefined,
    );
  }
  return count;
}

const flush = () => jest.advanceTimersByTimeAsync(100);
const RATE = { count: 1_000, seconds: 10 };

test('a key that used up the limit at one instance is refused at another, until the shared window ends', async () => {
  const store = new Store(RATE.seconds);
  const [one, other] = [instance(store, RATE), instance(store, RATE)];
  expect(await admitted(one.limit, 990)).toBe(990);
  await flush();
  // The other instance does not know the count yet, so it admits these.
  expect(await admitted(other.limit, 20)).toBe(20);
  await flush();
  await expect(other.limit.admit('alice')).rejects.toThrow(TooManyRequestsError);
  await expect(other.limit.check('alice')).rejects.toThrow(TooManyRequestsError);
  await expect(other.limit.admit('alice')).rejects.toMatchObject({ retryAfterSeconds: 10 });
  expect(other.hits()).toBe(3);
  await other.limit.admit('bob');
  await jest.advanceTimersByTimeAsync(RATE.seconds * 1_000);
  await other.limit.admit('alice');
  await other.limit.check('alice');
});

test('costs and later charges are shared like requests', async () => {
  const store = new Store(RATE.seconds);
  const [one, other] = [instance(store, RATE), instance(store, RATE)];
  await one.limit.admit('alice', 500);
  await one.limit.charge('alice', 490);
  await flush();
  await other.limit.charge('alice', 20);
  await flush();
  await expect(other.limit.check('alice')).rejects.toThrow(TooManyRequestsError);
  await expect(one.limit.admit('alice', 11)).rejects.toThrow(TooManyRequestsError);
});

test('one instance alone admits the whole limit', async () => {
  const { limit, hits } = instance(new Store(3), { count: 3_000, seconds: 3 });
  expect(await admitted(limit, 3_000, '192.0.2.1')).toBe(3_000);
  expect(hits()).toBe(0);
  await expect(limit.admit('192.0.2.1')).rejects.toThrow(TooManyRequestsError);
});

test('500 clients behind one address may reconnect at once, at any instance', async () => {
  const rate = { count: 3_000, seconds: 3 };
  const store = new Store(rate.seconds);
  const instances = Array.from({ length: 5 }, () => instance(store, rate));
  for (let i = 0; i < 500; i++) await instances[i % 5]?.limit.admit('192.0.2.1');
  await flush();
  for (let i = 0; i < 500; i++) await instances[(i + 1) % 5]?.limit.admit('192.0.2.1');
});

test('500 messages per second are never refused for a minute', async () => {
  const { limit } = instance(new Store(10), { count: 20_000, seconds: 10 });
  for (let i = 0; i < 600; i++) {
    expect(await admitted(limit, 50)).toBe(50);
    await jest.advanceTimersByTimeAsync(100);
  }
});

test('counts are sent in batches, and counts below a hundredth of the limit are not sent', async () => {
  const store = new Store(RATE.seconds);
  const { limit, counts } = instance(store, RATE);
  for (let i = 0; i < 50; i++) await admitted(limit, 10, `once ${i}`);
  await flush();
  expect(store.batches).toEqual([]);
  expect(counts.size).toBe(0);
  expect(await admitted(limit, 300)).toBe(300);
  expect(await admitted(limit, 200, 'bob')).toBe(200);
  expect(store.batches).toEqual([]);
  await flush();
  expect(store.batches.map((batch) => [...batch])).toEqual([
    [
      ['alice', 300],
      ['bob', 200],
    ],
  ]);
  await limit.admit('alice');
  await flush();
  expect(store.batches.slice(1).map((batch) => [...batch])).toEqual([[['alice', 1]]]);
  expect(jest.getTimerCount()).toBeGreaterThan(0); // the windows in this process
  await jest.advanceTimersByTimeAsync(60_000);
  expect(store.batches).toHaveLength(2);
});

test('all keys are sent in batches of at most a thousand', async () => {
  const store = new Store(RATE.seconds);
  const { counts } = instance(store, RATE);
  for (let i = 0; i < 2_500; i++) counts.add(`key ${i}`, 100, 100);
  for (let i = 0; i < 3; i++) await flush();
  expect(store.batches.map((batch) => batch.size)).toEqual([1_000, 1_000, 500]);
});

test('at most 20,000 keys are kept, and they are forgotten with their windows', async () => {
  const store = new Store(RATE.seconds);
  const { counts } = instance(store, RATE);
  for (let i = 0; i < 30_000; i++) counts.add(`key ${i}`, 100, 100);
  expect(counts.size).toBe(20_000);
  await jest.advanceTimersByTimeAsync(30 * 100 + RATE.seconds * 1_000);
  counts.add('another', 100, 100);
  await flush();
  expect(counts.size).toBe(1);
});

test.each(['away', 'hanging'] as const)('an instance counts alone while the store is %s', async (state) => {
  const store = new Store(RATE.seconds);
  const { limit, counts } = instance(store, RATE);
  store.state = state;
  expect(await admitted(limit, 900)).toBe(900);
  await jest.advanceTimersByTimeAsync(5_000);
  for (let i = 0; i < 5_000; i++) counts.add(`key ${i}`, 100, 100);
  expect(await admitted(limit, 200)).toBe(100);
  await jest.advanceTimersByTimeAsync(60_000);
  // Failed batches are dropped, and each retry has one key.
  expect(store.batches.length).toBeGreaterThan(0);
  expect(store.batches.every((batch) => batch.size === 1)).toBe(true);
  const tries = store.batches.length;
  await jest.advanceTimersByTimeAsync(60_000);
  expect(store.batches).toHaveLength(tries);

  store.state = 'up';
  const other = instance(store, RATE);
  expect(await admitted(limit, 500)).toBe(500);
  await jest.advanceTimersByTimeAsync(5_000);
  expect(await admitted(limit, 100)).toBe(100);
  await flush();
  expect(await admitted(other.limit, 900)).toBe(900);
  await flush();
  await expect(other.limit.admit('alice', 100)).rejects.toThrow(TooManyRequestsError);
});

test('a closed limit sends nothing', async () => {
  const store = new Store(RATE.seconds);
  const { limit, counts } = instance(store, RATE);
  await limit.admit('alice', 500);
  counts.close();
  await limit.admit('alice', 100);
  await flush();
  expect(store.batches).toEqual([]);
});
