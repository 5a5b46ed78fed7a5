import { getHeapSpaceStatistics } from 'node:v8';
import { createHeapCollector } from '../src/process/collect-heap.js';

const MEGABYTE = 1_048_576;

/** A process with 300 MB, of which 100 MB are objects in 200 MB of the old generation. No limit. */
function setUp(changes: { held?: number; used?: number; limit?: number } = {}) {
  const collections: boolean[] = [];
  const { held = 200, used = 100, limit = 0 } = changes;
  createHeapCollector({
    collect: (compact) => collections.push(compact),
    readUse: () => ({ held: held * MEGABYTE, used: used * MEGABYTE }),
    residentBytes: () => 300 * MEGABYTE,
    limitBytes: () => limit * MEGABYTE,
  })();
  return collections;
}

test('compacts after the collection when the objects that stay have large gaps between them', () => {
  expect(setUp()).toEqual([false, true]);
});

test.each([
  ['less than 32 MB', { held: 60, used: 30 }],
  ['less than 15 % of the objects', { held: 1_140, used: 1_000 }],
])('does not compact for gaps of %s', (_, use) => {
  expect(setUp(use)).toEqual([false]);
});

test('compacts only when the memory limit has room for the objects twice', () => {
  expect(setUp({ limit: 500 })).toEqual([false, true]);
  expect(setUp({ limit: 499 })).toEqual([false]);
});

test("V8 gives the gaps back, and later collections don't compact", () => {
  const readHeld = () =>
    getHeapSpaceStatistics().find(({ space_name: name }) => name === 'old_space')?.physical_space_size ?? 0;
  // Half of the objects go, on every page. Each holds an array with room for itself only.
  let kept = Array.from({ length: 1_200_000 }, (_, index) => [index, index, index, index, index, index]);
  kept = kept.filter((_, index) => index % 2 === 0);
  createHeapCollector({ limitBytes: () => 1 })();
  const scattered = readHeld();
  createHeapCollector({ limitBytes: () => 0 })();
  const compacted = readHeld();
  expect(kept).toHaveLength(600_000);
  expect(scattered - compacted).toBeGreaterThan(16 * MEGABYTE);
});
