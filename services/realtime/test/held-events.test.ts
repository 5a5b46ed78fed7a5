import { HeldEvents } from '../src/recovery/held-events.js';

const released: string[] = [];
let mustWait: (messageId: string) => boolean;
let hits: number;
const limits = { events: 3, size: 100, ms: 600_000 };
const create = (overrides: Partial<typeof limits> = {}) =>
  new HeldEvents({
    mustWait: ({ messageId }) => mustWait(messageId),
    onLimitHit: () => {
      hits += 1;
    },
    limits: { ...limits, ...overrides },
  });
const toEvent = (messageId: string, sender = 'alice', size = 1) => ({
  namespace: '/',
  message: { room: 'room', messageId, sender, cursor: '1' },
  size,
  release: () => void released.push(messageId),
});

beforeEach(() => {
  released.length = 0;
  hits = 0;
  mustWait = () => true;
});

it('holds events that must wait, and later ones of the same sender, and releases them in order', () => {
  const held = create();
  mustWait = (messageId) => messageId === 'first';
  expect(held.offer(toEvent('first'))).toBe(true);
  expect(held.offer(toEvent('second'))).toBe(true);
  expect(held.offer(toEvent('other', 'bob'))).toBe(false);
  expect(held.isWaitedFor(toEvent('x').message)).toBe(true);
  held.releaseReady();
  expect(released).toEqual([]);
  mustWait = () => false;
  held.releaseReady();
  expect(released).toEqual(['first', 'second']);
  expect(held.size).toBe(0);
  expect(held.isWaitedFor(toEvent('x').message)).toBe(false);
});

it('releases senders that need not wait, before those that must', () => {
  const held = create();
  for (const [id, sender] of [
    ['a1', 'alice'],
    ['b1', 'bob'],
    ['a2', 'alice'],
  ])
    held.offer(toEvent(id as string, sender));
  mustWait = (messageId) => messageId === 'a1';
  held.releaseReady();
  expect(released).toEqual(['b1']);
  held.releaseAll();
  expect(released).toEqual(['b1', 'a1', 'a2']);
});

it.each([
  ['events', () => toEvent('fourth')],
  ['bytes', () => toEvent('fourth', 'alice', 98)],
])('releases all in order when there are too many %s', (_what, createLast) => {
  const held = create({ events: _what === 'bytes' ? 10 : 3 });
  for (const id of ['first', 'second', 'third']) held.offer(toEvent(id));
  expect(held.offer(createLast())).toBe(false);
  expect(released).toEqual(['first', 'second', 'third']);
  expect(hits).toBe(1);
});

it('releases all in order when it takes too long', () => {
  jest.useFakeTimers();
  try {
    const held = create({ ms: 5_000 });
    for (const id of ['first', 'second']) held.offer(toEvent(id));
    jest.advanceTimersByTime(5_000);
    expect(released).toEqual(['first', 'second']);
    expect(hits).toBe(1);
  } finally {
    jest.useRealTimers();
  }
});
