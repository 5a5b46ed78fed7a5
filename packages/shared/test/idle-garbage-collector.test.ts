import { IdleGarbageCollector } from '../src/process/idle-garbage-collector.js';

const MEGABYTE = 1_048_576;
let collector: IdleGarbageCollector | undefined;
afterEach(() => collector?.close());

/** A process that has 100 MB at the start and after each collection. */
function setUp() {
  const state = { resident: 100 * MEGABYTE, busyShare: 0.1, collections: 0, compactions: 0 };
  collector = new IdleGarbageCollector({
    residentBytes: () => state.resident,
    busyShare: () => state.busyShare,
    collect: (mayCompact) => {
      state.collections += 1;
      if (mayCompact) state.compactions += 1;
      state.resident = 100 * MEGABYTE;
    },
  });
  return { state, check: () => collector?.check() };
}

describe('the idle garbage collector', () => {
  test('collects when memory has grown and the process is idle', () => {
    const { state, check } = setUp();
    check();
    expect(state.collections).toBe(0);
    state.resident = 200 * MEGABYTE;
    check();
    expect(state.collections).toBe(1);
    expect(state.resident).toBe(100 * MEGABYTE);
  });

  test('waits until the process is idle', () => {
    const { state, check } = setUp();
    state.resident = 200 * MEGABYTE;
    state.busyShare = 0.9;
    for (let i = 0; i < 10; i++) check();
    expect(state.collections).toBe(0);
    state.busyShare = 0.1;
    check();
    expect(state.collections).toBe(1);
  });

  test('pauses between two collections', () => {
    const { state, check } = setUp();
    for (let i = 0; i < 8; i++) {
      state.resident = 200 * MEGABYTE;
      check();
    }
    expect(state.collections).toBe(2);
  });

  test('does not collect again for memory that a collection could not free', () => {
    const { state, check } = setUp();
    state.resident = 200 * MEGABYTE;
    check();
    state.resident = 104 * MEGABYTE;
    for (let i = 0; i < 8; i++) check();
    expect(state.collections).toBe(1);
  });

  test('moves objects together only when the process is nearly idle, later if need be', () => {
    const { state, check } = setUp();
    state.resident = 200 * MEGABYTE;
    state.busyShare = 0.3;
    for (let i = 0; i < 8; i++) check();
    expect(state).toMatchObject({ collections: 1, compactions: 0 });
    state.busyShare = 0.05;
    for (let i = 0; i < 8; i++) check();
    expect(state).toMatchObject({ collections: 2, compactions: 1 });
  });

  test("uses V8's collector by default", () => {
    collector = new IdleGarbageCollector({ residentBytes: createGrowingMemory(), busyShare: () => 0 });
    const reference = new WeakRef({ text: 'nobody else has it' });
    // Only a collection clears a weak reference, and not in the turn in which it was created.
    return new Promise<void>((resolve) => setImmediate(resolve)).then(() => {
      collector?.check();
      expect(reference.deref()).toBeUndefined();
    });
  });
});

/** Doubles at each call. */
function createGrowingMemory(): () => number {
  let bytes = MEGABYTE;
  return () => {
    bytes *= 2;
    return bytes;
  };
}
