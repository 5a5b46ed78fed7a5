import type { World } from '../world/world.ts';
import { type Fault, together } from './fault.ts';
import { faults } from './index.ts';
import { repeatedly } from './repeat.ts';

const world = {} as World;

test('has at least 40 faults, each with a name of its own', () => {
  const names = faults.map(({ name }) => name);
  expect(names.length).toBeGreaterThanOrEqual(40);
  expect(new Set(names).size).toBe(names.length);
  // Commas separate names in `--only`.
  expect(names.filter((name) => !/^[a-z-]+(\+[a-z-]+)*$/.test(name))).toEqual([]);
});

test('has at most 8 faults for the short form', () => {
  const quick = faults.filter((fault) => fault.quick === true);
  expect(quick.length).toBeGreaterThanOrEqual(5);
  expect(quick.length).toBeLessThanOrEqual(8);
});

test('faults at once begin and end together, and last as long as the longest', async () => {
  const seen: string[] = [];
  const fault = (name: string, seconds: number, needsClock = false): Fault => ({
    name,
    does: `does ${name}`,
    seconds,
    needsClock,
    start: () => void seen.push(`start ${name}`),
    end: () => void seen.push(`end ${name}`),
  });
  const instant: Fault = { name: 'c', does: 'does c', seconds: 0, start: () => void seen.push('start c') };
  const both = together([fault('a', 3), fault('b', 5, true), instant]);
  await both.start(world);
  await both.end?.(world);
  expect(both).toMatchObject({ name: 'a+b+c', does: 'does a; does b; does c', seconds: 5, needsClock: true });
  expect(seen).toEqual(['start a', 'start b', 'start c', 'end a', 'end b']);
});

test('a fault that cannot be started fails the trial', async () => {
  const broken: Fault = { name: 'a', does: '', seconds: 0, start: () => Promise.reject(new Error('no such server')) };
  await expect(together([broken]).start(world)).rejects.toThrow('no such server');
});

describe('what is done again and again', () => {
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  test('is done at once, then at each interval, and no longer after the end', async () => {
    const act = jest.fn();
    const fault = repeatedly({ name: 'a', does: '', seconds: 10, everyMs: 1_000, act });
    await fault.start(world);
    await jest.advanceTimersByTimeAsync(2_500);
    await fault.end?.(world);
    await jest.advanceTimersByTimeAsync(5_000);
    expect(act).toHaveBeenCalledTimes(3);
    expect(act).toHaveBeenCalledWith(world);
  });

  test('fails the trial at its end when it could not be done', async () => {
    const act = jest.fn().mockResolvedValueOnce(undefined).mockRejectedValue(new Error('refused'));
    const fault = repeatedly({ name: 'a', does: '', seconds: 10, everyMs: 1_000, act });
    await fault.start(world);
    await jest.advanceTimersByTimeAsync(1_500);
    await expect(Promise.resolve(fault.end?.(world))).rejects.toThrow('refused');
  });
});
