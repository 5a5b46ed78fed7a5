import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { describeWithRedis, redisPrefix, redisUrl } from '../../../tests/support/with-redis.js';
import { inProcessRoomMemory } from '../src/room-memory/in-process.js';
import { redisRoomMemory } from '../src/room-memory/redis.js';
import { REMEMBERED_FOR_MS, ROOMS_REMEMBERED, type RoomMemory } from '../src/room-memory/room-memory.js';

/** What both room memories must do. */
function roomMemorySuite(create: (now: () => number) => RoomMemory): void {
  let time = 1_700_000_000_000;
  let memory: RoomMemory;
  beforeEach(() => {
    memory = create(() => time);
  });

  test('recalls what was joined and not left, for each identity', async () => {
    const [alice, bob] = [randomUUID(), randomUUID()];
    await memory.remember(alice, ['a-1', 'a-2']);
    await memory.remember(bob, ['b-1']);
    await memory.forget(alice, 'a-1');
    expect(await memory.recall(alice)).toEqual(['a-2']);
    expect(await memory.recall(bob)).toEqual(['b-1']);
    expect(await memory.recall(randomUUID())).toEqual([]);
  });

  test('forgets what was not used for a day', async () => {
    const alice = randomUUID();
    await memory.remember(alice, ['old', 'used']);
    time += REMEMBERED_FOR_MS / 2;
    await memory.remember(alice, ['used']);
    time += REMEMBERED_FOR_MS / 2 + 1;
    expect(await memory.recall(alice)).toEqual(['used']);
  });

  test('keeps the most recent rooms when there are too many', async () => {
    const alice = randomUUID();
    for (let i = 0; i <= ROOMS_REMEMBERED; i++) {
      time += 1;
      await memory.remember(alice, [`room-${i}`]);
    }
    const rooms = await memory.recall(alice);
    expect(rooms).toHaveLength(ROOMS_REMEMBERED);
    expect(rooms[0]).toBe(`room-${ROOMS_REMEMBERED}`);
    expect(rooms).not.toContain('room-0');
  });
}

describe('room memory in process', () => roomMemorySuite(inProcessRoomMemory));

describeWithRedis('room memory in Redis', () => {
  const prefix = redisPrefix();
  let client: Redis;
  beforeAll(() => {
    client = new Redis(redisUrl());
  });
  afterAll(() => client.quit());
  roomMemorySuite((now) => redisRoomMemory(client, prefix, now));
});
