import { randomBytes, randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { inProcessRoomMemory } from '../../packages/shared/src/room-memory/in-process.js';
import { redisRoomMemory } from '../../packages/shared/src/room-memory/redis.js';
import type { RoomMemory } from '../../packages/shared/src/room-memory/room-memory.js';
import { describeWithRedis, redisPrefix, redisUrl } from '../support/with-redis.ts';

/** What an identity's rooms take is bounded in bytes, and not only in number. */
const MAX_BYTES_REMEMBERED = 65_536;
const LONG = '\u{1f4e8}'.repeat(250);

function longNames(): string[] {
  return Array.from({ length: 1_000 }, (_, i) => `${LONG}${i}`);
}

function suite(create: () => RoomMemory): void {
  test('of 1,000 names of 1 KB an identity has no more than 64 KB remembered', async () => {
    const memory = create();
    const alice = randomUUID();
    for (const name of longNames()) await memory.remember(alice, [name]);
    const recalled = await memory.recall(alice);
    expect(Buffer.byteLength(recalled.join(''))).toBeLessThanOrEqual(MAX_BYTES_REMEMBERED);
  });

  test('the same when they come together', async () => {
    const memory = create();
    const alice = randomUUID();
    await memory.remember(alice, longNames());
    expect(Buffer.byteLength((await memory.recall(alice)).join(''))).toBeLessThanOrEqual(MAX_BYTES_REMEMBERED);
  });

  test('50 rooms with names as they are usual are all remembered', async () => {
    const memory = create();
    const alice = randomUUID();
    const key = `02${randomBytes(32).toString('hex')}`;
    const rooms = Array.from({ length: 50 }, (_, i) => `${key}-inbox ${i}`);
    await memory.remember(alice, rooms);
    expect((await memory.recall(alice)).sort()).toEqual(rooms.sort());
  });
}

describe('in process', () => suite(() => inProcessRoomMemory()));

describeWithRedis('in Redis', () => {
  const prefix = redisPrefix();
  let client: Redis;
  beforeAll(() => {
    client = new Redis(redisUrl());
  });
  afterAll(() => client.quit());
  suite(() => redisRoomMemory(client, prefix));

  test('the key of an identity takes no more than 128 KB of Redis', async () => {
    const alice = randomUUID();
    await redisRoomMemory(client, prefix).remember(alice, longNames());
    const [key] = await client.keys(`${prefix}*${alice}*`);
    expect(Number(await client.memory('USAGE', key ?? ''))).toBeLessThanOrEqual(2 * MAX_BYTES_REMEMBERED);
  });
});
