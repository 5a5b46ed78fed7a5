import { MemoryRelief } from '../src/process/memory-relief.js';

const MEGABYTE = 1_048_576;
let relief: MemoryRelief | undefined;
afterEach(() => relief?.close());

/** A process of 100 MB, of which a collection leaves as much. */
function setUp() {
  const state = { resident: 100 * MEGABYTE, busyShare: 0.1, collections: 0 };
  relief = new MemoryRelief({
    residentBytes: () => state.resident,
    busyShare: () => state.busyShare,
    collect: () => {
      state.collections += 1;
      state.resident = 100 * MEGABYTE;
    },
  });
  return { state, look: () => relief?.look() };
}

describe('memory relief', () => {
  test('collects when memory has grown and the process has time', () => {
    const { state, look } = setUp();
    look();
    expect(state.collections).toBe(0);
    state.resident = 200 * MEGABYTE;
    look();
    expect(state.collections).toBe(1);
    expect(state.resident).toBe(100 * MEGABYTE);
  });

  test('waits until a rush is over', () => {
    const { state, look } = setUp();
    state.resident = 200 * MEGABYTE;
    state.busyShare = 0.9;
    for (let i = 0; i < 10; i++) look();
    expect(state.collections).toBe(0);
    state.busyShare = 0.1;
    look();
    expect(state.collections).toBe(1);
  });

  test('leaves a pause between two collections', () => {
    const { state, look } = setUp();
    for (let i = 0; i < 8; i++) {
      state.resident = 200 * MEGABYTE;
      look();
    }
    expect(state.collections).toBe(2);
  });

  test('is content with what a collection can not give back', () => {
    const { state, look } = setUp();
    state.resident = 200 * MEGABYTE;
    look();
    state.resident = 104 * MEGABYTE;
    for (let i = 0; i < 8; i++) look();
    expect(state.collections).toBe(1);
  });

  test("has V8's own collector when it is given none", () => {
    relief = new MemoryRelief({ residentBytes: grows(), busyShare: () => 0 });
    const reference = new WeakRef({ text: 'nobody else has it' });
    // A weak reference is cleared by a collection only, and not in the turn in which it was made.
    return new Promise<void>((resolve) => setImmediate(resolve)).then(() => {
      relief?.look();
      expect(reference.deref()).toBeUndefined();
    });
  });
});

/** Each look finds the process twice as large. */
function grows(): () => number {
  let bytes = MEGABYTE;
  return () => {
    bytes *= 2;
    return bytes;
  };
}
