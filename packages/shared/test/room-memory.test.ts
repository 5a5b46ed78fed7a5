import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { describeWithRedis, redisPrefix, redisUrl } from '../../../tests/support/with-redis.js';
import { inProcessRoomMemory } from '../src/room-memory/in-process.js';
import { redisRoomMemory } from '../src/room-memory/redis.js';
import {
  REMEMBERED_FOR_MS,
  ROOM_MEMORY_LIMITS,
  type RoomMemory,
  type RoomMemoryLimits,
} from '../src/room-memory/room-memory.js';

const { rooms: MAX_ROOMS, nameBytes: MAX_NAME_BYTES } = ROOM_MEMORY_LIMITS;
const roomsOf = (identity: string, ...boxes: string[]) => boxes.map((box) => `${identity}-${box}`);

/** What both room memories must do. */
function roomMemorySuite(create: (now: () => number, limits?: RoomMemoryLimits) => RoomMemory): void {
  let time = 1_700_000_000_000;
  let memory: RoomMemory;
  const now = () => time;
  beforeEach(() => {
    memory = create(now);
  });

  test('recalls what was joined and not left, for each identity', async () => {
    const [alice, bob] = [randomUUID(), randomUUID()];
    await memory.remember(alice, roomsOf(alice, '1', '2'));
    await memory.remember(bob, roomsOf(bob, '1'));
    await memory.forget(alice, `${alice}-1`);
    await memory.forget(alice, `${alice}-3`);
    await memory.forget(alice, `${bob}-1`);
    expect(await memory.recall(alice)).toEqual(roomsOf(alice, '2'));
    expect(await memory.recall(bob)).toEqual(roomsOf(bob, '1'));
    expect(await memory.recall(randomUUID())).toEqual([]);
  });

  test('remembers nothing of an identity that has left all of its rooms, and takes it again', async () => {
    const alice = randomUUID();
    await memory.remember(alice, roomsOf(alice, '1'));
    await memory.forget(alice, `${alice}-1`);
    expect(await memory.recall(alice)).toEqual([]);
    await memory.remember(alice, roomsOf(alice, '2'));
    expect(await memory.recall(alice)).toEqual(roomsOf(alice, '2'));
  });

  test('remembers no room of another identity', async () => {
    const [alice, bob] = [randomUUID(), randomUUID()];
    await memory.remember(alice, roomsOf(bob, '1'));
    expect(await memory.recall(alice)).toEqual([]);
    expect(await memory.recall(bob)).toEqual([]);
  });

  test('forgets what was not used for a day', async () => {
    const alice = randomUUID();
    await memory.remember(alice, roomsOf(alice, 'old', 'used'));
    time += REMEMBERED_FOR_MS / 2;
    await memory.remember(alice, roomsOf(alice, 'used'));
    time += REMEMBERED_FOR_MS / 2 + 1;
    expect(await memory.recall(alice)).toEqual(roomsOf(alice, 'used'));
  });

  test('keeps the most recent rooms when there are too many', async () => {
    const alice = randomUUID();
    for (let i = 0; i <= MAX_ROOMS; i++) {
      time += 1;
      await memory.remember(alice, roomsOf(alice, `${i}`));
    }
    const rooms = await memory.recall(alice);
    expect(rooms).toHaveLength(MAX_ROOMS);
    expect(rooms[0]).toBe(`${alice}-${MAX_ROOMS}`);
    expect(rooms).not.toContain(`${alice}-0`);
  });

  test.each([
    ['one by one', 1],
    ['all at once', 1_000],
  ])('keeps the most recent rooms when their names are long, joined %s', async (_how, atOnce) => {
    const alice = randomUUID();
    const boxes = Array.from({ length: 1_000 }, (_, i) => `${'\u{1f4e8}'.repeat(250)}${i}`);
    for (let i = 0; i < boxes.length; i += atOnce) {
      time += 1;
      await memory.remember(alice, roomsOf(alice, ...boxes.slice(i, i + atOnce)));
    }
    const rooms = await memory.recall(alice);
    expect(rooms.length).toBe(8);
    expect(Buffer.byteLength(rooms.join('').replaceAll(alice, ''))).toBeLessThanOrEqual(MAX_NAME_BYTES);
    if (atOnce === 1) expect(rooms[0]).toBe(`${alice}-${boxes.at(-1)}`);
  });

  test('forgets the identities that have not been used for longest when there are too many', async () => {
    const few = create(now, { ...ROOM_MEMORY_LIMITS, identities: 3 });
    const [first, second, ...others] = Array.from({ length: 5 }, () => randomUUID()) as [string, string, ...string[]];
    for (const one of [first, second, ...others.slice(0, 1), first, ...others.slice(1)]) {
      time += 1;
      await few.remember(one, roomsOf(one, '1'));
    }
    const recalled = await Promise.all([first, second, ...others].map((one) => few.recall(one)));
    expect(recalled.map((rooms) => rooms.length)).toEqual([1, 0, 0, 1, 1]);
  });

  test('forgets the identities that have not been used for longest when they take too much', async () => {
    const little = create(now, { ...ROOM_MEMORY_LIMITS, totalBytes: 20_000 });
    const boxes = Array.from({ length: 50 }, (_, i) => `box ${i}`);
    const [first, second, ...others] = Array.from({ length: 5 }, () => randomUUID()) as [string, string, ...string[]];
    for (const one of [first, second, ...others]) {
      time += 1;
      await little.remember(one, roomsOf(one, ...boxes));
      if (one !== second) continue;
      // What is left makes room.
      for (const room of roomsOf(second, ...boxes.slice(1))) await little.forget(second, room);
    }
    const recalled = await Promise.all([first, second, ...others].map((one) => little.recall(one)));
    expect(recalled.map((rooms) => rooms.length)).toEqual([0, 1, 50, 50, 50]);
  });
}

describe('room memory in process', () => roomMemorySuite(inProcessRoomMemory));

describeWithRedis('room memory in Redis', () => {
  const all = redisPrefix();
  // Identities of other tests would count.
  const ownPrefix = () => `${all}${randomUUID()}`;
  let client: Redis;
  beforeAll(() => {
    client = new Redis(redisUrl());
  });
  afterAll(() => client.quit());
  roomMemorySuite((now, limits) => redisRoomMemory(client, ownPrefix(), now, limits));

  test('1,000 rooms with names of 1 KB take no more than 16 KB of Redis', async () => {
    const [prefix, alice] = [ownPrefix(), randomUUID()];
    const boxes = Array.from({ length: 1_000 }, (_, i) => `${'x'.repeat(1_000)}${i}`);
    await redisRoomMemory(client, prefix).remember(alice, roomsOf(alice, ...boxes));
    const keys = await client.keys(`${prefix}*`);
    expect(keys).toHaveLength(3);
    const usage = await Promise.all(keys.map((key) => client.memory('USAGE', key)));
    expect(usage.reduce<number>((sum, bytes) => sum + Number(bytes), 0)).toBeLessThanOrEqual(16_384);
  });

  test('two instances at once keep to the same bounds', async () => {
    const prefix = ownPrefix();
    const other = new Redis(redisUrl());
    const limits = { ...ROOM_MEMORY_LIMITS, identities: 10 };
    const memories = [client, other].map((commands) => redisRoomMemory(commands, prefix, Date.now, limits));
    const identities = Array.from({ length: 100 }, () => randomUUID());
    await Promise.all(identities.map((one, i) => memories[i % 2]?.remember(one, roomsOf(one, '1'))));
    expect(await client.zcard(`${prefix}:joined-identities`)).toBe(10);
    expect(await client.keys(`${prefix}:joined:*`)).toHaveLength(10);
    const bytes = await client.hgetall(`${prefix}:joined-bytes`);
    expect(Object.keys(bytes)).toHaveLength(11);
    expect(Number(bytes['*'])).toBe(10 * (500 + 100 + 2));
    other.disconnect();
  });

  test('rooms that version 0.1.0 has written are recalled and left', async () => {
    const [prefix, alice] = [ownPrefix(), randomUUID()];
    const memory = redisRoomMemory(client, prefix);
    const [one = '', two = ''] = roomsOf(alice, '1', '2');
    await client.zadd(`${prefix}:joined:${alice}`, Date.now(), one, Date.now() + 1, two);
    expect(await memory.recall(alice)).toEqual([two, one]);
    await memory.remember(alice, [one]);
    await memory.forget(alice, two);
    expect(await memory.recall(alice)).toEqual([one]);
  });
});
