import { SharedPool } from '../src/admission/shared-pool.js';

/** Acquires one place after another until the pool refuses. */
function acquireAll(pool: SharedPool, source: string, evict?: () => void): number {
  let count = 0;
  while (count < 10_000 && pool.tryAcquire(source, 1, evict) !== undefined) count += 1;
  return count;
}

describe('a shared pool of leases that can be evicted', () => {
  test('gives the whole pool to a single source, and evicts its leases for a newcomer', () => {
    const pool = new SharedPool({ total: 100 });
    const evicted: number[] = [];
    for (let i = 0; i < 100; i++) expect(pool.tryAcquire('greedy', 1, () => evicted.push(i))).toBeDefined();
    expect(pool.tryAcquire('greedy', 1, () => undefined)).toBeUndefined();
    expect(evicted).toEqual([]);

    expect(pool.tryAcquire('newcomer', 2, () => undefined)).toBeDefined();
    expect(evicted).toEqual([0, 1]);
    expect(pool.used).toBe(100);
    expect(pool.getHeldAmount('greedy')).toBe(98);
  });

  test('evicts no lease of a source within its fair share', () => {
    const pool = new SharedPool({ total: 100 });
    let evicted = 0;
    for (let i = 0; i < 10; i++) {
      for (let j = 0; j < 10; j++)
        pool.tryAcquire(`source ${i}`, 1, () => {
          evicted += 1;
        });
    }
    expect(pool.tryAcquire('source 0', 1, () => undefined)).toBeUndefined();
    expect(evicted).toBe(0);
    // An eleventh source has a fair share as well.
    expect(acquireAll(pool, 'newcomer', () => undefined)).toBe(9);
    expect(evicted).toBe(9);
  });

  test('has room for a newcomer beside 40 greedy sources', () => {
    const pool = new SharedPool({ total: 2_000 });
    for (let i = 0; i < 40; i++) acquireAll(pool, `greedy ${i}`, () => undefined);
    expect(acquireAll(pool, 'newcomer', () => undefined)).toBe(48);
  });

  test('does not let an evicted lease grow, and releases it once', () => {
    const pool = new SharedPool({ total: 10 });
    const lease = pool.tryAcquire('greedy', 10, () => lease?.release());
    expect(pool.tryAcquire('newcomer', 5, () => undefined)).toBeDefined();
    expect(lease?.grow(1)).toBe(false);
    lease?.release();
    expect(pool.used).toBe(5);
  });
});

test('a shared pool does not evict a lease that was made permanent', () => {
  const pool = new SharedPool({ total: 10 });
  const evicted: string[] = [];
  pool.tryAcquire('greedy', 5, () => evicted.push('first'))?.makePermanent();
  pool.tryAcquire('greedy', 5, () => evicted.push('second'));
  expect(pool.tryAcquire('newcomer', 5, () => undefined)).toBeDefined();
  expect(evicted).toEqual(['second']);
});

describe('a shared pool of leases that cannot be evicted', () => {
  test('keeps a part of the pool free when there is a single source', () => {
    const pool = new SharedPool({ total: 1_000, shareOfFree: 4 });
    expect(acquireAll(pool, 'greedy')).toBe(800);
    expect(acquireAll(pool, 'newcomer')).toBeGreaterThan(100);
  });
});

test('a shared pool is never exceeded', () => {
  const pool = new SharedPool({ total: 100 });
  expect(pool.tryAcquire('a', 101)).toBeUndefined();
  expect(pool.used).toBe(0);
  for (let i = 0; i < 300; i++) pool.tryAcquire(`source ${i % 7}`, (i % 5) + 1, i % 2 ? () => undefined : undefined);
  expect(pool.used).toBeLessThanOrEqual(100);
});

test('a shared pool gets the amount of a lease back once', () => {
  const pool = new SharedPool({ total: 100 });
  const lease = pool.tryAcquire('a', 10);
  expect(lease?.grow(20)).toBe(true);
  expect(lease?.grow(1_000)).toBe(false);
  expect(pool.getHeldAmount('a')).toBe(30);
  lease?.release();
  lease?.release();
  expect(lease?.grow(1)).toBe(false);
  expect(pool.used).toBe(0);
  expect(pool.sources).toBe(0);
});

test('a shared pool enforces the maximum of a source, however much is free', () => {
  const pool = new SharedPool({ total: 1_000, maxPerSource: 25 });
  expect(acquireAll(pool, 'a')).toBe(25);
  expect(acquireAll(pool, 'b', () => undefined)).toBe(25);
});
