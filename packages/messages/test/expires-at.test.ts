import { parseExpiresAt } from '../src/expires-at.js';
import { RuleError } from '../src/rule-error.js';

const NOW = new Date('2026-11-30T12:00:00.000Z');
const parse = (given: unknown) => parseExpiresAt(given, NOW)?.toISOString();

function refusalOf(given: unknown, now = NOW): string {
  try {
    parseExpiresAt(given, now);
  } catch (error) {
    if (error instanceof RuleError && error.code === 'ERR_INVALID_EXPIRES_AT') return error.description;
    throw error;
  }
  return 'accepted';
}

test.each([
  ['2026-12-01T12:00:00Z', '2026-12-01T12:00:00.000Z'],
  ['2026-12-01T12:00:00.000Z', '2026-12-01T12:00:00.000Z'],
  ['2026-12-01T12:00Z', '2026-12-01T12:00:00.000Z'],
  ['2026-12-01T14:30:00+02:30', '2026-12-01T12:00:00.000Z'],
  ['2026-12-01T07:00:00-05:00', '2026-12-01T12:00:00.000Z'],
  ['2026-11-30T12:00:00.001Z', '2026-11-30T12:00:01.000Z'],
  ['2026-12-01T12:00:00.123456789Z', '2026-12-01T12:00:01.000Z'],
  ['2027-11-30T12:00:00Z', '2027-11-30T12:00:00.000Z'],
])('reads %s as %s, in whole seconds and never earlier', (given, expected) => {
  expect(parse(given)).toBe(expected);
});

test.each([undefined, null])('takes %s for no expiry', (given) => {
  expect(parse(given)).toBeUndefined();
});

test.each([
  ['', 'with a zone'],
  ['tomorrow', 'with a zone'],
  ['2026-12-01', 'with a zone'],
  ['2026-12-01T12:00:00', 'with a zone'],
  ['2026-12-01 12:00:00Z', 'with a zone'],
  ['2026-12-01T12:00:00z', 'with a zone'],
  ['2026-12-01T12:00:00+01', 'with a zone'],
  ['2026-12-01T12:00:00 Z', 'with a zone'],
  [' 2026-12-01T12:00:00Z', 'with a zone'],
  ['2026-12-01T12:00:00Z\n', 'with a zone'],
  ['2026-12-01T24:00:00Z', 'with a zone'],
  ['2026-12-01T12:60:00Z', 'with a zone'],
  ['2026-12-01T12:00:60Z', 'with a zone'],
  ['2026-12-01T12:00:00+24:00', 'with a zone'],
  ['2026-13-01T12:00:00Z', 'with a zone'],
  ['2026-12-32T12:00:00Z', 'with a zone'],
  ['2027-02-29T12:00:00Z', 'with a zone'],
  ['+002026-12-01T12:00:00Z', 'with a zone'],
  ['1796126400000', 'with a zone'],
  [1_796_126_400_000, 'with a zone'],
  [0, 'with a zone'],
  [true, 'with a zone'],
  [['2026-12-01T12:00:00Z'], 'with a zone'],
  [{}, 'with a zone'],
  ['2026-11-30T12:00:00Z', 'in the future'],
  ['2026-11-30T11:59:59.999Z', 'in the future'],
  ['2026-11-30T13:00:00+01:00', 'in the future'],
  ['1970-01-01T00:00:00Z', 'in the future'],
  ['2027-11-30T12:00:00.001Z', 'at most a year ahead'],
  ['9999-12-31T23:59:59Z', 'at most a year ahead'],
])('refuses %p, which is not %s', (given, reason) => {
  expect(refusalOf(given)).toContain(reason);
});

test('a year ends at the same time of the same day, also with a 29th of February in between', () => {
  const now = new Date('2027-03-01T00:00:00Z');
  expect(refusalOf('2028-03-01T00:00:00Z', now)).toBe('accepted');
  expect(refusalOf('2028-03-01T00:00:01Z', now)).toContain('at most a year ahead');
});
