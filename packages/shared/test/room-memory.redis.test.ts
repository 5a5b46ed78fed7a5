import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createRedisPrefix, describeWithRedis, getRedisUrl } from '@messagebox/test-support/with-redis';
import { Redis } from 'ioredis';
import { createInProcessRoomMemory } from '../src/room-memory/in-process-room-memory.js';
import { createRedisRoomMemory } from '../src/room-memory/redis-room-memory.js';
import {
  ENDED_RECORD_MS,
  type RememberedRoom,
  ROOM_MEMORY_LIMITS,
  ROOM_RETENTION_MS,
  type RoomMemory,
  type RoomMemoryLimits,
} from '../src/room-memory/room-memory.js';
import { createEarlierRoomMemory } from './support/earlier-room-memory.js';

const { rooms: MAX_ROOMS, nameBytes: MAX_NAME_BYTES } = ROOM_MEMORY_LIMITS;
const PHONE = 'phone';
const LAPTOP = 'laptop';
const roomsOf = (identity: string, ...boxes: string[]) => boxes.map((box) => `${identity}-${box}`);

const listRooms = async (memory: RoomMemory, identity: string) =>
  (await memory.recall(identity)).map(({ room }) => room);

/** The promises of both room memories. */
function roomMemorySuite(create: (now: () => number, limits?: RoomMemoryLimits) => RoomMemory): void {
  let time = 1_700_000_000_000;
  let memory: RoomMemory;
  const now = () => time;
  beforeEach(() => {
    memory = create(now);
  });

  test('recalls the rooms that each identity has joined and not left', async () => {
    const [alice, bob] = [randomUUID(), randomUUID()];
    await memory.remember(alice, PHONE, roomsOf(alice, '1', '2'));
    await memory.remember(bob, PHONE, roomsOf(bob, '1'));
    await memory.forget(alice, PHONE, `${alice}-1`);
    await memory.forget(alice, PHONE, `${alice}-3`);
    await memory.forget(alice, PHONE, `${bob}-1`);
    expect(await listRooms(memory, alice)).toEqual(roomsOf(alice, '2'));
    expect(await listRooms(memory, bob)).toEqual(roomsOf(bob, '1'));
    expect(await listRooms(memory, randomUUID())).toEqual([]);
  });

  test('forgets an identity that has left all its rooms, and remembers it when it joins again', async () => {
    const alice = randomUUID();
    await memory.remember(alice, PHONE, roomsOf(alice, '1'));
    await memory.forget(alice, PHONE, `${alice}-1`);
    expect(await listRooms(memory, alice)).toEqual([]);
    await memory.remember(alice, PHONE, roomsOf(alice, '2'));
    expect(await listRooms(memory, alice)).toEqual(roomsOf(alice, '2'));
  });

  test('remembers no room of another identity', async () => {
    const [alice, bob] = [randomUUID(), randomUUID()];
    await memory.remember(alice, PHONE, roomsOf(bob, '1'));
    expect(await listRooms(memory, alice)).toEqual([]);
    expect(await listRooms(memory, bob)).toEqual([]);
  });

  test('forgets rooms that were not used for a day', async () => {
    const alice = randomUUID();
    await memory.remember(alice, PHONE, roomsOf(alice, 'old', 'used'));
    time += ROOM_RETENTION_MS / 2;
    await memory.remember(alice, PHONE, roomsOf(alice, 'used'));
    time += ROOM_RETENTION_MS / 2 + 1;
    expect(await listRooms(memory, alice)).toEqual(roomsOf(alice, 'used'));
  });

  test('keeps the most recent rooms when there are too many', async () => {
    const alice = randomUUID();
    for (let i = 0; i <= MAX_ROOMS; i++) {
      time += 1;
      await memory.remember(alice, PHONE, roomsOf(alice, `${i}`));
    }
    const rooms = await listRooms(memory, alice);
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
      await memory.remember(alice, PHONE, roomsOf(alice, ...boxes.slice(i, i + atOnce)));
    }
    const rooms = await listRooms(memory, alice);
    expect(rooms.length).toBe(8);
    expect(Buffer.byteLength(rooms.join('').replaceAll(alice, ''))).toBeLessThanOrEqual(MAX_NAME_BYTES);
    if (atOnce === 1) expect(rooms[0]).toBe(`${alice}-${boxes.at(-1)}`);
  });

  test('forgets the identities that have not been used for longest when there are too many', async () => {
    const few = create(now, { ...ROOM_MEMORY_LIMITS, identities: 3 });
    const [first, second, ...others] = Array.from({ length: 5 }, () => randomUUID()) as [string, string, ...string[]];
    for (const one of [first, second, ...others.slice(0, 1), first, ...others.slice(1)]) {
      time += 1;
      await few.remember(one, PHONE, roomsOf(one, '1'));
    }
    const recalled = await Promise.all([first, second, ...others].map((one) => few.recall(one)));
    expect(recalled.map((rooms) => rooms.length)).toEqual([1, 0, 0, 1, 1]);
  });

  test('forgets the identities that have not been used for longest when they take too much', async () => {
    const little = create(now, { ...ROOM_MEMORY_LIMITS, totalBytes: 21_000 });
    const boxes = Array.from({ length: 50 }, (_, i) => `box ${i}`);
    const [first, second, ...others] = Array.from({ length: 5 }, () => randomUUID()) as [string, string, ...string[]];
    for (const one of [first, second, ...others]) {
      time += 1;
      await little.remember(one, PHONE, roomsOf(one, ...boxes));
      if (one !== second) continue;
      // Rooms that are left free their space.
      for (const room of roomsOf(second, ...boxes.slice(1))) await little.forget(second, PHONE, room);
    }
    const recalled = await Promise.all([first, second, ...others].map((one) => little.recall(one)));
    expect(recalled.map((rooms) => rooms.length)).toEqual([0, 1, 50, 50, 50]);
  });

  test('keeps a room that one connection leaves and another one has, whether it is open or has ended', async () => {
    const alice = randomUUID();
    await memory.remember(alice, PHONE, roomsOf(alice, '1', '2'));
    await memory.remember(alice, LAPTOP, roomsOf(alice, '1', '2'));
    await memory.forget(alice, LAPTOP, `${alice}-1`);
    expect(await listRooms(memory, alice)).toContain(`${alice}-1`);
    await memory.end(alice, PHONE);
    await memory.forget(alice, LAPTOP, `${alice}-2`);
    expect((await listRooms(memory, alice)).sort()).toEqual(roomsOf(alice, '1', '2'));
  });

  test('forgets a room that all connections have left', async () => {
    const alice = randomUUID();
    for (const connection of [PHONE, LAPTOP]) await memory.remember(alice, connection, roomsOf(alice, '1', '2'));
    for (const connection of [PHONE, LAPTOP]) await memory.forget(alice, connection, `${alice}-1`);
    expect(await listRooms(memory, alice)).toEqual(roomsOf(alice, '2'));
  });

  test('forgets a room that is left when the other connection with it ended a day ago', async () => {
    const alice = randomUUID();
    await memory.remember(alice, PHONE, roomsOf(alice, '1'));
    await memory.end(alice, PHONE);
    time += ROOM_RETENTION_MS + 1;
    await memory.remember(alice, LAPTOP, roomsOf(alice, '1', '2'));
    await memory.forget(alice, LAPTOP, `${alice}-1`);
    expect(await listRooms(memory, alice)).toEqual(roomsOf(alice, '2'));
  });

  test('knows the lowest position of the connections that have a room', async () => {
    const alice = randomUUID();
    await memory.renew(10);
    await memory.remember(alice, PHONE, roomsOf(alice, '1', '2'));
    await memory.remember(alice, LAPTOP, roomsOf(alice, '2', '3'));
    await memory.renew(20);
    await memory.end(alice, PHONE);
    await memory.renew(30);
    expect(sortRooms(await memory.recall(alice))).toEqual([
      { room: `${alice}-1`, since: 20 },
      { room: `${alice}-2`, since: 20 },
      { room: `${alice}-3`, since: 30 },
    ]);
  });

  test('leaves out the position of the connection that asks, and not its rooms', async () => {
    const alice = randomUUID();
    await memory.renew(10);
    await memory.remember(alice, PHONE, roomsOf(alice, '1'), 5);
    await memory.remember(alice, LAPTOP, roomsOf(alice, '1', '2'), 3);
    expect(sortRooms(await memory.recall(alice, LAPTOP))).toEqual([
      { room: `${alice}-1`, since: 5 },
      { room: `${alice}-2`, since: undefined },
    ]);
  });

  test('keeps the lowest position of connections that end in the same hour, and in different ones', async () => {
    const alice = randomUUID();
    for (const [i, connection] of [PHONE, LAPTOP, 'tablet'].entries()) {
      await memory.renew(10 * (i + 1));
      await memory.remember(alice, connection, roomsOf(alice, '1'));
      await memory.end(alice, connection);
      if (i > 0) time += ENDED_RECORD_MS;
    }
    expect(await memory.recall(alice)).toEqual([{ room: `${alice}-1`, since: 10 }]);
    // The record with the first two is a day old, and the third connection remains.
    time += ROOM_RETENTION_MS - 2 * ENDED_RECORD_MS + 1;
    await memory.remember(alice, LAPTOP, roomsOf(alice, '1'));
    expect(await memory.recall(alice)).toEqual([{ room: `${alice}-1`, since: 30 }]);
  });

  test('keeps the position of a frozen connection until its rooms are remembered again', async () => {
    const alice = randomUUID();
    await memory.renew(10);
    await memory.remember(alice, PHONE, roomsOf(alice, '1'));
    await memory.freeze(alice, PHONE);
    await memory.renew(20);
    expect(await memory.recall(alice)).toEqual([{ room: `${alice}-1`, since: 10 }]);
    await memory.remember(alice, PHONE, roomsOf(alice, '1'));
    expect(await memory.recall(alice)).toEqual([{ room: `${alice}-1`, since: 20 }]);
    await memory.freeze(alice, PHONE);
    await memory.renew(30);
    await memory.end(alice, PHONE);
    expect(await memory.recall(alice)).toEqual([{ room: `${alice}-1`, since: 20 }]);
  });

  test('keeps the position that a connection is remembered with, also when it ends', async () => {
    const alice = randomUUID();
    await memory.renew(30);
    await memory.remember(alice, PHONE, roomsOf(alice, '1'), 10);
    await memory.remember(alice, LAPTOP, roomsOf(alice, '2'), 20);
    await memory.end(alice, LAPTOP);
    await memory.renew(40);
    expect(sortRooms(await memory.recall(alice))).toEqual([
      { room: `${alice}-1`, since: 10 },
      { room: `${alice}-2`, since: 20 },
    ]);
  });

  test('knows no position before the first one is renewed', async () => {
    const alice = randomUUID();
    await memory.remember(alice, PHONE, roomsOf(alice, '1'));
    expect(await memory.recall(alice)).toEqual([{ room: `${alice}-1`, since: undefined }]);
    await memory.end(alice, PHONE);
    expect(await memory.recall(alice)).toEqual([{ room: `${alice}-1`, since: undefined }]);
  });

  test('knows no record of a connection that has ended before it joined', async () => {
    const alice = randomUUID();
    await memory.renew(10);
    await memory.end(alice, PHONE);
    await memory.freeze(alice, PHONE);
    expect(await memory.recall(alice)).toEqual([]);
  });

  test('forgets the records of the least recently used connections when there are too many', async () => {
    const alice = randomUUID();
    const few = create(now, { ...ROOM_MEMORY_LIMITS, connections: 2 });
    await few.renew(10);
    for (const [connection, box] of [
      [PHONE, '1'],
      [LAPTOP, '2'],
      ['tablet', '3'],
    ] as const) {
      time += 1;
      await few.remember(alice, connection, roomsOf(alice, box));
    }
    expect(sortRooms(await few.recall(alice)).map(({ since }) => since)).toEqual([undefined, 10, 10]);
  });

  test('forgets the records of the least recently used connections when they take too much', async () => {
    const alice = randomUUID();
    const little = create(now, { ...ROOM_MEMORY_LIMITS, connectionBytes: 400 });
    await little.renew(10);
    const boxes = Array.from({ length: 20 }, (_, i) => `${i + 10}`);
    await little.remember(alice, PHONE, roomsOf(alice, ...boxes));
    time += 1;
    await little.remember(alice, LAPTOP, roomsOf(alice, ...boxes.slice(1)));
    const since = sortRooms(await little.recall(alice)).map((one) => one.since);
    expect(since).toEqual([undefined, ...boxes.slice(1).map(() => 10)]);
  });
}

const sortRooms = (rooms: readonly RememberedRoom[]) => [...rooms].sort((a, b) => (a.room < b.room ? -1 : 1));

describe('room memory in process', () => roomMemorySuite(createInProcessRoomMemory));

describeWithRedis('room memory in Redis', () => {
  const all = createRedisPrefix();
  // Each test needs its own prefix, because identities of other tests would count.
  const ownPrefix = () => `${all}${randomUUID()}`;
  let client: Redis;
  beforeAll(() => {
    client = new Redis(getRedisUrl());
  });
  afterAll(() => client.quit());
  roomMemorySuite((now, limits) => createRedisRoomMemory(client, ownPrefix(), now, limits));

  test('takes no more than 16 KB of Redis for 1,000 rooms with names of 1 KB', async () => {
    const [prefix, alice] = [ownPrefix(), randomUUID()];
    const boxes = Array.from({ length: 1_000 }, (_, i) => `${'x'.repeat(1_000)}${i}`);
    await createRedisRoomMemory(client, prefix).remember(alice, PHONE, roomsOf(alice, ...boxes));
    const keys = await client.keys(`${prefix}*`);
    expect(keys).toHaveLength(4);
    const usage = await Promise.all(keys.map((key) => client.memory('USAGE', key)));
    expect(usage.reduce<number>((sum, bytes) => sum + Number(bytes), 0)).toBeLessThanOrEqual(16_384);
  });

  test('keeps its limits when two instances write at the same time', async () => {
    const prefix = ownPrefix();
    const other = new Redis(getRedisUrl());
    const limits = { ...ROOM_MEMORY_LIMITS, identities: 10 };
    const memories = [client, other].map((commands) => createRedisRoomMemory(commands, prefix, Date.now, limits));
    const identities = Array.from({ length: 100 }, () => randomUUID());
    await Promise.all(identities.map((one, i) => memories[i % 2]?.remember(one, PHONE, roomsOf(one, '1'))));
    expect(await client.zcard(`${prefix}:joined-identities`)).toBe(10);
    expect(await client.keys(`${prefix}:joined:*`)).toHaveLength(10);
    const bytes = await client.hgetall(`${prefix}:joined-bytes`);
    expect(Object.keys(bytes)).toHaveLength(11);
    const kept = Object.keys(bytes).filter((one) => one !== '*');
    expect(Number(bytes['*'])).toBe(kept.reduce((sum, one) => sum + Number(bytes[one]), 0));
    expect(await client.keys(`${prefix}:joined-by:*`)).toHaveLength(10);
    other.disconnect();
  });

  test('keeps the last position of an instance that was killed, and renews those of the others', async () => {
    const [prefix, alice] = [ownPrefix(), randomUUID()];
    const [killed, alive] = [createRedisRoomMemory(client, prefix), createRedisRoomMemory(client, prefix)];
    await killed.renew(10);
    await killed.remember(alice, PHONE, roomsOf(alice, '1'));
    await killed.renew(20);
    await alive.renew(20);
    await alive.remember(alice, LAPTOP, roomsOf(alice, '1', '2'));
    await alive.renew(30);
    expect(sortRooms(await alive.recall(alice))).toEqual([
      { room: `${alice}-1`, since: 20 },
      { room: `${alice}-2`, since: 30 },
    ]);
  });

  test('renews no position of a connection whose end could not be written', async () => {
    const [prefix, alice] = [ownPrefix(), randomUUID()];
    const own = new Redis(getRedisUrl(), { enableOfflineQueue: false, maxRetriesPerRequest: 0 });
    await once(own, 'ready');
    const memory = createRedisRoomMemory(own, prefix);
    await memory.renew(10);
    await memory.remember(alice, PHONE, roomsOf(alice, '1'));
    own.disconnect();
    await once(own, 'end');
    await expect(memory.end(alice, PHONE)).rejects.toThrow();
    await own.connect();
    await memory.renew(20);
    expect(await memory.recall(alice)).toEqual([{ room: `${alice}-1`, since: 10 }]);
    // Connections that are still open count with the new position as soon as they are remembered again.
    await memory.remember(alice, PHONE, roomsOf(alice, '1'));
    await memory.renew(30);
    expect(await memory.recall(alice)).toEqual([{ room: `${alice}-1`, since: 30 }]);
    own.disconnect();
  });

  test('tells with a renewal that Redis has lost what was remembered', async () => {
    const prefix = ownPrefix();
    const memory = createRedisRoomMemory(client, prefix);
    // Rooms may have been remembered before the first renewal, which leaves the trace.
    expect(await memory.renew(10)).toBe(false);
    expect(await memory.renew(20)).toBe(true);
    await client.del(await client.keys(`${prefix}:*`));
    expect(await memory.renew(30)).toBe(false);
    expect(await memory.renew(40)).toBe(true);
  });

  test('tells all instances of a loss, which one that has just started does not hide', async () => {
    const prefix = ownPrefix();
    const [first, second] = [createRedisRoomMemory(client, prefix), createRedisRoomMemory(client, prefix)];
    for (const memory of [first, second, first]) await memory.renew(10);
    expect(await first.findLoss()).toBeUndefined();
    await client.del(await client.keys(`${prefix}:*`));
    const started = createRedisRoomMemory(client, prefix);
    await started.renew(30);
    expect(await started.findLoss()).toBeUndefined();
    await second.renew(20);
    expect(await started.findLoss()).toBe(20);
    // The lowest position counts.
    await first.renew(25);
    expect(await started.findLoss()).toBe(20);
    await client.del(await client.keys(`${prefix}:*`));
    await started.renew(40);
    expect(await first.findLoss()).toBe(40);
  });

  test.each([
    ['and finds no mark of another, tells of a loss', false, 10],
    ['and finds the mark of another, tells of none', true, undefined],
  ])('a process that could not reach Redis at its start %s', async (_what, isMarked, loss) => {
    const prefix = ownPrefix();
    const own = new Redis(getRedisUrl(), { enableOfflineQueue: false, maxRetriesPerRequest: 0, lazyConnect: true });
    const memory = createRedisRoomMemory(own, prefix);
    await expect(memory.renew(5)).rejects.toThrow();
    if (isMarked) await createRedisRoomMemory(client, prefix).renew(7);
    if (own.status !== 'ready') await once(own, 'ready');
    await memory.renew(10);
    expect(await memory.findLoss()).toBe(loss);
    own.disconnect();
  });

  test.each<[string, (memory: RoomMemory, alice: string) => Promise<unknown>]>([
    ['rooms', (memory, alice) => memory.remember(alice, PHONE, roomsOf(alice, '1'))],
    ['the end of a connection', (memory, alice) => memory.end(alice, PHONE)],
    ['a position', (memory) => memory.renew(15)],
  ])('tells with a renewal that %s could not be written, and when Redis can be reached again', async (_what, write) => {
    const own = new Redis(getRedisUrl(), { enableOfflineQueue: false, maxRetriesPerRequest: 0 });
    await once(own, 'ready');
    const memory = createRedisRoomMemory(own, ownPrefix());
    const heard = jest.fn();
    const stopListening = memory.onReachable(heard);
    await memory.renew(10);
    own.disconnect();
    await once(own, 'end');
    await expect(write(memory, randomUUID())).rejects.toThrow();
    expect(heard).not.toHaveBeenCalled();
    await own.connect();
    expect(heard).toHaveBeenCalledTimes(1);
    expect(await memory.renew(20)).toBe(false);
    expect(await memory.renew(30)).toBe(true);
    stopListening();
    own.disconnect();
    await once(own, 'end');
    await own.connect();
    expect(heard).toHaveBeenCalledTimes(1);
    own.disconnect();
  });

  test('works beside instances of the version before, which knows no connections', async () => {
    const [prefix, alice] = [ownPrefix(), randomUUID()];
    const memory = createRedisRoomMemory(client, prefix);
    const earlier = createEarlierRoomMemory(client, prefix);
    await memory.renew(10);
    await earlier.remember(alice, roomsOf(alice, 'old'));
    await memory.remember(alice, PHONE, roomsOf(alice, 'new'));
    // Each recalls the rooms of the other.
    expect((await earlier.recall(alice)).sort()).toEqual(roomsOf(alice, 'new', 'old'));
    expect(sortRooms(await memory.recall(alice))).toEqual([
      { room: `${alice}-new`, since: 10 },
      { room: `${alice}-old`, since: undefined },
    ]);
    // Each forgets the rooms of the other.
    await memory.forget(alice, LAPTOP, `${alice}-old`);
    await earlier.forget(alice, `${alice}-new`);
    expect(await memory.recall(alice)).toEqual([]);
    expect(await earlier.recall(alice)).toEqual([]);
    // The sum of bytes stays the sum, whoever wrote last.
    await memory.remember(alice, PHONE, roomsOf(alice, '1'));
    await earlier.remember(alice, roomsOf(alice, '2'));
    const bytes = await client.hgetall(`${prefix}:joined-bytes`);
    expect(bytes['*']).toBe(bytes[alice]);
  });

  test('recalls and forgets rooms that version 0.1.0 has stored', async () => {
    const [prefix, alice] = [ownPrefix(), randomUUID()];
    const memory = createRedisRoomMemory(client, prefix);
    const [one = '', two = ''] = roomsOf(alice, '1', '2');
    await client.zadd(`${prefix}:joined:${alice}`, Date.now(), one, Date.now() + 1, two);
    expect(await listRooms(memory, alice)).toEqual([two, one]);
    await memory.remember(alice, PHONE, [one]);
    await memory.forget(alice, PHONE, two);
    expect(await listRooms(memory, alice)).toEqual([one]);
  });
});
