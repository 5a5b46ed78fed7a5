import { judgeNodeVersion } from '../src/doctor/checks/node-version.ts';
import { judgeOpenFiles } from '../src/doctor/checks/open-files.ts';
import { isOlder } from '../src/doctor/is-older.ts';
import { formatBytes, formatDuration } from '../src/output/format.ts';
import { toInert, toInertJson } from '../src/output/inert-text.ts';

test.each([
  ['an escape sequence', 'a\u001b[31mb', 'a\\x1b[31mb'],
  ['a C1 control', 'a\u009b31mb', 'a\\x9b31mb'],
  ['a backspace', 'a\bb', 'a\\x08b'],
  ['a line break', 'a\nb\r\tc', 'a\\nb\\r\\tc'],
  ['a mark that turns the direction of text', 'a\u202eb', 'a\\u202eb'],
  ['an invisible character', 'a\u200bb\ufeff', 'a\\u200bb\\ufeff'],
  ['a lone surrogate', 'a\ud800b', 'a\\ud800b'],
  ['a tag character', 'a\u{e0041}', 'a\\u{e0041}'],
])('%s becomes visible', (_title, text, inert) => {
  expect(toInert(text)).toBe(inert);
});

test('ordinary text of any language stays as it is', () => {
  const text = 'Grüße, 世界, שלום, 🎉';
  expect(toInert(text)).toBe(text);
});

test('line breaks stay where they are wanted, and nothing else does', () => {
  expect(toInert('a\nb\tc\r\u001b', { keepLines: true })).toBe('a\nb\tc\\r\\x1b');
});

test('JSON holds the same value without a character that acts', () => {
  const value = { '\u009bname': 'a\u001b\u009b\u202e\u{e0041}\ud800\u007f"\\' };
  const text = toInertJson(value);
  expect(text).toMatch(/^[\x20-\x7e]*$/);
  expect(JSON.parse(text)).toEqual(value);
});

test('sizes and durations are short', () => {
  expect([0, 999, 1000, 1_234_567, undefined].map(formatBytes)).toEqual(['0 B', '999 B', '1.0 kB', '1.2 MB', '-']);
  expect([0, 61, 90_061, undefined].map(formatDuration)).toEqual(['0 s', '1 min 1 s', '1 d 1 h', '-']);
});

test.each([
  ['20.18.3', 'fail'],
  ['18.20.0', 'fail'],
  ['20.19.0', 'ok'],
  ['22.0.0', 'ok'],
])('Node %s is judged as %s', (version, verdict) => {
  expect(judgeNodeVersion(version).verdict).toBe(verdict);
});

test.each([
  ['256', 'fail'],
  ['1024', 'warn'],
  ['65536', 'ok'],
  ['unlimited', 'ok'],
])('a hard limit of %s open files is judged as %s', (hard, verdict) => {
  expect(
    judgeOpenFiles(
      `Limit  Soft Limit  Hard Limit  Units\nMax open files            1024                 ${hard}                files\n`,
    ).verdict,
  ).toBe(verdict);
});

test('versions are compared by their numbers', () => {
  expect(isOlder('8.0.40', '8.4.0')).toBe(true);
  expect(isOlder('10.11.6', '10.9.0')).toBe(false);
  expect(isOlder('7.0.0', '7.0.0')).toBe(false);
});
