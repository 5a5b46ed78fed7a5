import { getRateLimitedLog, RateLimitedLog, truncatePath } from '../src/logging/rate-limited-log.js';

interface Line {
  readonly level: string;
  readonly about: object;
  readonly message: string;
}

function recorder() {
  const lines: Line[] = [];
  const write = (level: string) => (about: object, message: string) => void lines.push({ level, about, message });
  return { lines, log: { info: write('info'), warn: write('warn'), error: write('error') } as never };
}

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

test('writes a burst of lines, then a limited number per second', () => {
  const { lines, log } = recorder();
  let now = 0;
  const limited = new RateLimitedLog(log, { burst: 3, perSecond: 2, now: () => now });
  for (let i = 0; i < 10; i++) limited.write('info', { i }, 'request refused');
  expect(lines.map(({ about }) => about)).toEqual([{ i: 0 }, { i: 1 }, { i: 2 }]);
  now = 1_000;
  for (let i = 10; i < 20; i++) limited.write('info', { i }, 'request refused');
  expect(lines.slice(3).map(({ about }) => about)).toEqual([{ i: 10 }, { i: 11 }]);
});

test('writes one line every ten seconds with the number of omitted lines of each kind', () => {
  const { lines, log } = recorder();
  const limited = new RateLimitedLog(log, { burst: 1, perSecond: 0, now: () => 0 });
  for (let i = 0; i < 8; i++) limited.write('info', {}, 'request refused');
  for (let i = 0; i < 4; i++) limited.write('error', {}, 'request failed');
  jest.advanceTimersByTime(9_999);
  expect(lines).toHaveLength(2);
  jest.advanceTimersByTime(1);
  expect(lines.slice(2)).toEqual([
    { level: 'warn', about: { lines: 'request refused', leftOut: 7 }, message: 'log lines were left out' },
    { level: 'warn', about: { lines: 'request failed', leftOut: 3 }, message: 'log lines were left out' },
  ]);
  jest.advanceTimersByTime(60_000);
  expect(lines).toHaveLength(4);
});

test('limits each kind of line separately', () => {
  const { lines, log } = recorder();
  const limited = new RateLimitedLog(log, { burst: 1, perSecond: 0, now: () => 0 });
  for (let i = 0; i < 5; i++) limited.write('info', {}, 'request refused');
  limited.write('info', {}, 'frame refused');
  expect(lines.map(({ message }) => message)).toEqual(['request refused', 'frame refused']);
});

test('shares one limit among all writers to a logger', () => {
  const { log } = recorder();
  expect(getRateLimitedLog(log)).toBe(getRateLimitedLog(log));
  expect(getRateLimitedLog(recorder().log)).not.toBe(getRateLimitedLog(log));
});

test('truncatePath keeps a path of 200 characters and cuts a longer one', () => {
  expect(truncatePath('/'.padEnd(200, 'a'))).toHaveLength(200);
  expect(truncatePath('/'.padEnd(90_000, 'a'))).toBe(`${'/'.padEnd(200, 'a')}…`);
});
