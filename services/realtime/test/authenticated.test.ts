import type { AuthSocket } from '@messagebox/brc103/socket-io';
import { createLogger, type RememberedRoom } from '@messagebox/shared';
import { authenticated } from '../src/events/authenticated.js';
import type { EventContext } from '../src/events/event-context.js';
import type { RestoredRoom } from '../src/replay/replays.js';

const KEY = `02${'a1'.repeat(32)}`;

// Fakes timers only, because getTimerCount() would also count microtasks and immediates.
beforeEach(
  () => void jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate', 'clearImmediate'] }),
);
afterEach(() => void jest.useRealTimers());

test('retries to restore rooms with one timer for each socket, however often the client authenticates', async () => {
  const recall = jest.fn<Promise<RememberedRoom[]>, []>().mockRejectedValue(new Error('Redis is away'));
  const [emit, join] = [jest.fn(), jest.fn()];
  const socket = { id: 's', identityKey: KEY, connected: true, emit, join, isIn: () => false } as unknown as AuthSocket;
  const context = {
    log: createLogger('test', 'info', { write: () => undefined }),
    memory: { recall, findLoss: async () => undefined },
    connectionRooms: { has: () => false, join: async () => undefined },
    replays: { isRestored: () => false, restore: () => undefined },
    restoring: new WeakMap(),
    restores: { add: () => undefined },
    maxRooms: 1_000,
    maxSocketsInRoom: 25,
    countSocketsIn: () => 0,
  } as unknown as EventContext;
  for (let time = 0; time < 100; time += 1) await authenticated(context, socket, { identityKey: KEY });
  expect(emit.mock.calls).toEqual(Array.from({ length: 100 }, () => ['authenticationSuccess', { status: 'success' }]));
  expect(jest.getTimerCount()).toBe(1);

  // Each retry sets one timer again, until Redis is back.
  for (let time = 1; time <= 3; time += 1) {
    await jest.advanceTimersByTimeAsync(10_000);
    expect(jest.getTimerCount()).toBe(1);
  }
  recall.mockClear();
  recall.mockResolvedValue([{ room: `${KEY}-inbox`, since: undefined }]);
  await jest.advanceTimersByTimeAsync(10_000);
  expect(recall).toHaveBeenCalledTimes(1);
  expect(join).toHaveBeenCalledTimes(1);
  expect(jest.getTimerCount()).toBe(0);
});

test('restores rooms once more that were remembered later, and no others', async () => {
  const [inbox, other] = [`${KEY}-inbox`, `${KEY}-other`];
  const recall = jest.fn<Promise<RememberedRoom[]>, []>().mockResolvedValue([{ room: inbox, since: 5 }]);
  const joined = new Set<string>();
  const socket = {
    id: 's',
    identityKey: KEY,
    connected: true,
    emit: () => true,
    join: (room: string) => joined.add(room),
    isIn: (room: string) => joined.has(room),
  } as unknown as AuthSocket;
  const [add, restored, remembered] = [jest.fn(), new Set<string>(), new Set<string>()];
  const restore = jest.fn((_socket: AuthSocket, rooms: readonly RestoredRoom[]) => {
    for (const { room } of rooms) restored.add(room);
  });
  const remember = jest.fn(async (_socket: AuthSocket, rooms: readonly string[]) => {
    for (const room of rooms) remembered.add(room);
  });
  const context = {
    log: createLogger('test', 'info', { write: () => undefined }),
    memory: { recall, findLoss: async () => undefined },
    rooms: { waitUntilReady: async () => undefined },
    connectionRooms: { has: (_: AuthSocket, room: string) => remembered.has(room), join: remember },
    replays: {
      holds: { hold: () => undefined },
      isRestored: (_: AuthSocket, { room }: RestoredRoom) => restored.has(room),
      restore,
    },
    restoring: new WeakMap(),
    restores: { add },
    maxRooms: 1_000,
    maxSocketsInRoom: 25,
    countSocketsIn: () => 0,
  } as unknown as EventContext;
  await authenticated(context, socket, { identityKey: KEY });
  expect(restore.mock.lastCall).toEqual([socket, [{ room: inbox, since: 5 }]]);

  recall.mockResolvedValue([
    { room: other, since: 7 },
    { room: inbox, since: 5 },
  ]);
  const [, repeat] = add.mock.lastCall ?? [];
  await repeat();
  expect(restore.mock.lastCall).toEqual([socket, [{ room: other, since: 7 }]]);
  expect(remember.mock.lastCall).toEqual([socket, [other]]);
  // While the room memory is away, nothing is tried beyond the repetitions.
  recall.mockRejectedValue(new Error('Redis is away'));
  await repeat();
  expect(jest.getTimerCount()).toBe(0);
});
