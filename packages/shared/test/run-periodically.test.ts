import { runPeriodically } from '../src/process/run-periodically.js';

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

function setUp(work: () => Promise<unknown>) {
  const lines: unknown[] = [];
  const log = { warn: (...line: unknown[]) => void lines.push(line) } as never;
  return { task: runPeriodically(1_000, work, { log, name: 'purge' }), lines };
}

test('runs the work after each interval, until it is closed', async () => {
  let runs = 0;
  const { task } = setUp(async () => {
    runs += 1;
  });
  expect(runs).toBe(0);
  await jest.advanceTimersByTimeAsync(3_000);
  expect(runs).toBe(3);
  await task.close();
  await task.runNow();
  await jest.advanceTimersByTimeAsync(3_000);
  expect(runs).toBe(3);
});

test('skips an interval that ends during a run, and waits for the run when it closes', async () => {
  let runs = 0;
  let finish = () => {};
  const { task } = setUp(() => {
    runs += 1;
    return new Promise<void>((resolve) => {
      finish = resolve;
    });
  });
  await jest.advanceTimersByTimeAsync(3_000);
  expect(runs).toBe(1);
  let isClosed = false;
  const closing = task.close().then(() => {
    isClosed = true;
  });
  await jest.advanceTimersByTimeAsync(0);
  expect(isClosed).toBe(false);
  finish();
  await closing;
});

test('logs a run that fails, and goes on with the next one', async () => {
  let runs = 0;
  const { task, lines } = setUp(async () => {
    runs += 1;
    throw new Error('no database');
  });
  await task.runNow();
  await jest.advanceTimersByTimeAsync(1_000);
  expect(runs).toBe(2);
  expect(lines[0]).toEqual([{ task: 'purge', reason: 'no database' }, 'a periodic task failed']);
  await task.close();
});
