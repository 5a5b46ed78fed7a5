import { createNetworkTracker } from '../src/network-tracker.js';

const ROOT = 'ab'.repeat(32);

/** A block explorer with given answers that counts requests. */
function explorer(answer: (url: string) => Response | Promise<Response>) {
  const asked: string[] = [];
  const fetchIt = (async (url: string, options: RequestInit) => {
    asked.push(url);
    expect(options.signal).toBeInstanceOf(AbortSignal);
    return answer(url);
  }) as typeof fetch;
  return { asked, fetchIt };
}

test('asks once for a valid root, and again for an invalid one', async () => {
  const { asked, fetchIt } = explorer(() => Response.json({ merkleroot: ROOT }));
  const tracker = createNetworkTracker('main', fetchIt);
  expect(await tracker.isValidRootForHeight(ROOT, 5)).toBe(true);
  expect(await tracker.isValidRootForHeight(ROOT, 5)).toBe(true);
  expect(asked).toHaveLength(1);
  expect(asked[0]).toMatch(/\/bsv\/main\/block\/5\/header$/);
  expect(await tracker.isValidRootForHeight('cd'.repeat(32), 5)).toBe(false);
  expect(await tracker.isValidRootForHeight('cd'.repeat(32), 5)).toBe(false);
  expect(asked).toHaveLength(3);
  expect(await tracker.isValidRootForHeight(ROOT, 6)).toBe(true);
});

test('takes a missing block for an invalid root, and throws when the service fails', async () => {
  const missing = createNetworkTracker('test', explorer(() => Response.json({}, { status: 404 })).fetchIt);
  expect(await missing.isValidRootForHeight(ROOT, 5)).toBe(false);
  const failing = createNetworkTracker('test', explorer(() => Response.json({}, { status: 503 })).fetchIt);
  await expect(failing.isValidRootForHeight(ROOT, 5)).rejects.toThrow();
  const gone = createNetworkTracker('test', explorer(() => Promise.reject(new Error('refused'))).fetchIt);
  await expect(gone.isValidRootForHeight(ROOT, 5)).rejects.toThrow();
  await expect(gone.currentHeight()).rejects.toThrow();
});
