import type { AuthSocket } from '@messagebox/brc103';
import { createLogger } from '@messagebox/shared';
import { authenticated } from '../src/events/authenticated.js';
import type { EventParts } from '../src/events/event-parts.js';

const KEY = `02${'a1'.repeat(32)}`;

// Only timers: what else is about to happen in the process would be counted too.
beforeEach(
  () => void jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate', 'clearImmediate'] }),
);
afterEach(() => void jest.useRealTimers());

test('while rooms can not be recalled, one socket waits for one more try, however often it says who it is', async () => {
  const recall = jest.fn<Promise<string[]>, []>().mockRejectedValue(new Error('Redis is away'));
  const [emit, join] = [jest.fn(), jest.fn()];
  const socket = { id: 's', identityKey: KEY, connected: true, emit, join, isIn: () => false } as unknown as AuthSocket;
  const parts = {
    log: createLogger('test', false, { write: () => undefined }),
    memory: { recall },
    restored: new WeakSet(),
    maxRooms: 1_000,
    maxSocketsInRoom: 25,
    socketsIn: () => 0,
  } as unknown as EventParts;
  for (let time = 0; time < 100; time += 1) await authenticated(parts, socket, { identityKey: KEY });
  expect(emit.mock.calls).toEqual(Array.from({ length: 100 }, () => ['authenticationSuccess', { status: 'success' }]));
  expect(jest.getTimerCount()).toBe(1);

  // And one more, until it is back.
  for (let time = 1; time <= 3; time += 1) {
    await jest.advanceTimersByTimeAsync(10_000);
    expect(jest.getTimerCount()).toBe(1);
  }
  recall.mockClear();
  recall.mockResolvedValue([`${KEY}-inbox`]);
  await jest.advanceTimersByTimeAsync(10_000);
  expect(recall).toHaveBeenCalledTimes(1);
  expect(join).toHaveBeenCalledTimes(1);
  expect(jest.getTimerCount()).toBe(0);
});
