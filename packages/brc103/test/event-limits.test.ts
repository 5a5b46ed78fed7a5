import { fitsInEvent, isAcceptedEventName, isAcceptedEventSize, MAX_EVENT_BYTES } from '../src/socket/event-limits.js';

const encodedBytes = (eventName: string, data: unknown) => Buffer.byteLength(JSON.stringify({ eventName, data }));
const isAccepted = (data: unknown) => isAcceptedEventSize('e', data, encodedBytes('e', data));

test.each([
  ['a plain one', 'sendMessage-02ab-inbox', true],
  ['letters of any script', 'sendMessage-箱-ü-😀', true],
  ['one of 256 bytes', 'n'.repeat(256), true],
  ['one of 257 bytes', 'n'.repeat(257), false],
  ['one of 86 letters of three bytes', '箱'.repeat(86), false],
  ['an empty one', '', false],
  ['one with a line break', 'a\nb', false],
  ['one with NUL', 'a\0', false],
  ['one with DEL', 'a\u007f', false],
  ['one with a C1 control', 'a\u0085', false],
  ['one that turns the direction of text', 'a\u202eb', false],
  ['one with an isolate', 'a\u2066b', false],
  ['a reserved one', 'disconnect', false],
  ['an internal one', '_unknown', false],
])('isAcceptedEventName judges a name: %s', (_kind, name, isAccepted) => {
  expect(isAcceptedEventName(name)).toBe(isAccepted);
});

test('the encoded size of an event counts: quotes twice, control characters six times', () => {
  const room = MAX_EVENT_BYTES - encodedBytes('e', { body: '' });
  for (const [text, width] of [
    ['x', 1],
    ['"', 2],
    ['\u0001', 6],
    ['ü', 2],
  ] as const) {
    const most = Math.floor(room / width);
    expect(isAccepted({ body: text.repeat(most) })).toBe(true);
    expect(isAccepted({ body: text.repeat(most + 1) })).toBe(false);
    expect(fitsInEvent('e', { body: text.repeat(most) })).toBe(true);
    expect(fitsInEvent('e', { body: text.repeat(most + 1) })).toBe(false);
  }
});

test('each number weighs 24 bytes, however it is written', () => {
  expect(isAccepted(Array.from({ length: 43_000 }, () => 1))).toBe(true);
  expect(isAccepted(Array.from({ length: 44_000 }, () => 1))).toBe(false);
});

test('an event with more than 100,000 values or 64 levels is not accepted', () => {
  expect(isAccepted(Array.from({ length: 99_990 }, () => []))).toBe(true);
  expect(isAccepted(Array.from({ length: 100_001 }, () => []))).toBe(false);
  const nested = (levels: number): unknown => (levels === 0 ? 'core' : [nested(levels - 1)]);
  expect(isAccepted(nested(63))).toBe(true);
  expect(isAccepted(nested(64))).toBe(false);
});
