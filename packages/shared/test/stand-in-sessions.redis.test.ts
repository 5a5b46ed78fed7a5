import { randomBytes } from 'node:crypto';
import type { StandInSessions } from '@messagebox/brc103/express';
import { createRedisPrefix, describeWithRedis, getRedisUrl } from '@messagebox/test-support/with-redis';
import { Redis } from 'ioredis';
import { InProcessStandIns } from '../src/sessions/in-process-stand-ins.js';
import { RedisStandIns } from '../src/sessions/redis-stand-ins.js';
import { STAND_IN_LIMITS, type StandInLimits } from '../src/sessions/stand-in-limits.js';

const inMinutes = (minutes: number) => new Date(Date.now() + minutes * 60_000);

/** The promises of both. */
function standInSuite(create: (limits: StandInLimits) => StandInSessions): void {
  let standIns: StandInSessions;
  beforeEach(() => {
    standIns = create(STAND_IN_LIMITS);
  });
  const begin = async (to = standIns, minutes = 2) => {
    const handle = randomBytes(16);
    await to.insert(handle, `nonce of ${handle.toString('hex')}`, inMinutes(minutes));
    return handle;
  };

  test('a session is found as it was inserted, and others are not', async () => {
    const handle = await begin();
    expect(await standIns.find(handle)).toMatchObject({
      clientNonce: `nonce of ${handle.toString('hex')}`,
      proven: false,
    });
    expect(await standIns.find(randomBytes(16))).toBeUndefined();
  });

  test('a session is proven once, and then keeps its end', async () => {
    const handle = await begin();
    const [end, later] = [inMinutes(60), inMinutes(90)];
    expect(await standIns.markProven(handle, end)).toBe(true);
    expect(await standIns.markProven(handle, later)).toBe(false);
    expect(await standIns.find(handle)).toMatchObject({ proven: true, expiresAt: end });
    expect(await standIns.markProven(randomBytes(16), end)).toBe(false);
  });

  test('a request is claimed once for each session, before and after the session is proven', async () => {
    const [first, second] = [await begin(), await begin()];
    const key = randomBytes(32);
    expect(await standIns.claim(first, key)).toBe('first');
    await standIns.markProven(first, inMinutes(60));
    expect(await standIns.claim(first, key)).toBe('repeated');
    expect(await standIns.claim(first, randomBytes(32))).toBe('first');
    expect(await standIns.claim(second, key)).toBe('first');
  });

  test('of the same claims at the same time one is the first', async () => {
    const handle = await begin();
    const key = randomBytes(32);
    const claims = await Promise.all(Array.from({ length: 20 }, () => standIns.claim(handle, key)));
    expect(claims.filter((claim) => claim === 'first')).toHaveLength(1);
    expect(claims.filter((claim) => claim === 'repeated')).toHaveLength(19);
  });

  test('a session that is not kept has no claims', async () => {
    expect(await standIns.claim(randomBytes(16), randomBytes(32))).toBe('gone');
  });

  test('a session ends with its last claim, so that no claim is forgotten', async () => {
    const handle = await begin();
    const key = randomBytes(32);
    expect(await standIns.claim(handle, key)).toBe('first');
    for (let i = 1; i < STAND_IN_LIMITS.claims; i++)
      expect(await standIns.claim(handle, randomBytes(32))).toBe('first');
    expect(await standIns.claim(handle, randomBytes(32))).toBe('gone');
    expect(await standIns.claim(handle, key)).toBe('gone');
    expect(await standIns.find(handle)).toBeUndefined();
  });

  test('a flood of handshakes ends the oldest unproven sessions and no proven one', async () => {
    const few = create({ unproven: 3, proven: 2, claims: 5 });
    const proven = await begin(few);
    await few.markProven(proven, inMinutes(60));
    const unproven = [];
    for (let i = 0; i < 5; i++) unproven.push(await begin(few, 2 + i));
    const found = await Promise.all(unproven.map(async (handle) => (await few.find(handle)) !== undefined));
    expect(found).toEqual([false, false, true, true, true]);
    expect(await few.find(proven)).toBeDefined();
  });

  test('too many proven sessions end the oldest one with its claims', async () => {
    const few = create({ unproven: 3, proven: 2, claims: 5 });
    const handles = [];
    const key = randomBytes(32);
    for (let i = 0; i < 3; i++) {
      const handle = await begin(few);
      await few.markProven(handle, inMinutes(60 + i));
      await few.claim(handle, key);
      handles.push(handle);
    }
    const claims = await Promise.all(handles.map((handle) => few.claim(handle, key)));
    expect(claims).toEqual(['gone', 'repeated', 'repeated']);
  });
}

describe('in this process', () => standInSuite((limits) => new InProcessStandIns(limits)));

describeWithRedis('in Redis', () => {
  const prefix = createRedisPrefix();
  let redis: Redis;
  let suites = 0;
  beforeAll(() => {
    redis = new Redis(getRedisUrl());
  });
  afterAll(() => redis.disconnect());
  standInSuite((limits) => {
    suites += 1;
    return new RedisStandIns(redis, `${prefix}${suites}`, limits);
  });

  test('another instance finds a session and its claims, and Redis forgets all of it in time', async () => {
    const [one, other] = [1, 2].map(() => new RedisStandIns(redis, `${prefix}shared`)) as [
      RedisStandIns,
      RedisStandIns,
    ];
    const handle = randomBytes(16);
    const key = randomBytes(32);
    await one.insert(handle, 'nonce', inMinutes(2));
    await one.markProven(handle, inMinutes(60));
    expect(await one.claim(handle, key)).toBe('first');
    expect(await other.claim(handle, key)).toBe('repeated');
    const left = await redis.pttl(`${prefix}shared:stand-in:${handle.toString('hex')}`);
    expect(left).toBeGreaterThan(59 * 60_000);
    expect(left).toBeLessThanOrEqual(60 * 60_000);
  });

  test('a session is gone while Redis can`t be used', async () => {
    const away = new Redis(getRedisUrl(), { lazyConnect: true, enableOfflineQueue: false });
    const standIns = new RedisStandIns(away, `${prefix}away`);
    await expect(standIns.insert(randomBytes(16), 'nonce', inMinutes(2))).rejects.toThrow();
    expect(await standIns.claim(randomBytes(16), randomBytes(32))).toBe('gone');
    away.disconnect();
  });
});
