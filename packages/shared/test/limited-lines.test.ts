import { LimitedLines, limitedLines, pathForLog } from '../src/logging/limited-lines.js';

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

test('a burst of lines is written, then so many in each second', () => {
  const { lines, log } = recorder();
  let now = 0;
  const limited = new LimitedLines(log, { burst: 3, perSecond: 2, now: () => now });
  for (let i = 0; i < 10; i++) limited.write('info', { i }, 'request refused');
  expect(lines.map(({ about }) => about)).toEqual([{ i: 0 }, { i: 1 }, { i: 2 }]);
  now = 1_000;
  for (let i = 10; i < 20; i++) limited.write('info', { i }, 'request refused');
  expect(lines.slice(3).map(({ about }) => about)).toEqual([{ i: 10 }, { i: 11 }]);
});

test('every ten seconds one line says how many of a kind were left out', () => {
  const { lines, log } = recorder();
  const limited = new LimitedLines(log, { burst: 1, perSecond: 0, now: () => 0 });
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

test('lines of one kind take nothing from another kind', () => {
  const { lines, log } = recorder();
  const limited = new LimitedLines(log, { burst: 1, perSecond: 0, now: () => 0 });
  for (let i = 0; i < 5; i++) limited.write('info', {}, 'request refused');
  limited.write('info', {}, 'frame refused');
  expect(lines.map(({ message }) => message)).toEqual(['request refused', 'frame refused']);
});

test('all who write to one logger share its bound', () => {
  const { log } = recorder();
  expect(limitedLines(log)).toBe(limitedLines(log));
  expect(limitedLines(recorder().log)).not.toBe(limitedLines(log));
});

test('a path of up to 200 characters is shown whole, a longer one is cut', () => {
  expect(pathForLog('/'.padEnd(200, 'a'))).toHaveLength(200);
  expect(pathForLog('/'.padEnd(90_000, 'a'))).toBe(`${'/'.padEnd(200, 'a')}…`);
});
