import { RuleError } from '@messagebox/messages';
import {
  assertDeliverySize as assertSize,
  countStoredBytes,
  expandDelivery,
  type PaidDelivery,
} from '../src/paid-delivery.js';

const sizes = { each: 8 * 2 ** 20, all: 16 * 2 ** 20, listed: 16_000_000 };
const assertDeliverySize = (bytes: Uint8Array, given: PaidDelivery) => assertSize(bytes, given, sizes);

const beef = (bytes: number) => new Uint8Array(bytes).fill(200);
const delivery = (body: string, ...outputs: object[][]): PaidDelivery => ({
  messageBox: 'inbox',
  body,
  messages: outputs.map((given, i) => ({ recipient: `recipient ${i}`, messageId: `${i}`, outputs: given })),
});
const one = [{ outputIndex: 0 }];

/** Bytes of the messages that would be stored for paid recipients. */
const bytesOf = (bytes: number, of: PaidDelivery) =>
  expandDelivery('sender', beef(bytes), of)
    .messages.filter(({ body }) => body !== of.body)
    .map(({ body }) => Buffer.byteLength(body));

test.each<[string, number, PaidDelivery, boolean]>([
  ['a transaction of a megabyte for one recipient fits', 1_000_000, delivery('hello', one), true],
  ['a transaction of a megabyte for four recipients fits', 1_000_000, delivery('hello', one, one, one, one), true],
  [
    'a transaction of a megabyte for five recipients is too large',
    1_000_000,
    delivery('hello', one, one, one, one, one),
    false,
  ],
  ['a body that makes the message too large is refused', 1_000_000, delivery('x'.repeat(4_500_000), one), false],
  ['a body of quotes, which double when escaped, is too large', 1_000_000, delivery('"'.repeat(2_500_000), one), false],
  ['a body of characters with four bytes is too large', 1_000_000, delivery('😀'.repeat(1_200_000), one), false],
  ['a large description of one output is too large', 100, delivery('hello', [{ note: 'x'.repeat(9_000_000) }]), false],
  ['a large body without a payment fits', 1_000_000, delivery('x'.repeat(9_000_000), []), true],
])('%s', (_what, bytes, given, isTaken) => {
  const sizes = bytesOf(bytes, given);
  const fits = sizes.every((size) => size <= 8 * 2 ** 20) && sizes.reduce((sum, size) => sum + size, 0) <= 16 * 2 ** 20;
  expect(fits).toBe(isTaken);
  if (isTaken) expect(() => assertDeliverySize(beef(bytes), given)).not.toThrow();
  else expect(() => assertDeliverySize(beef(bytes), given)).toThrow(RuleError);
});

test('the bytes of a message are counted as they are stored, without making it', () => {
  const bytes = Uint8Array.from({ length: 1_000 }, (_, i) => i % 256);
  const given = { ...delivery('a "quoted" body', one, [], [{ outputIndex: 1 }]), description: 'für "dich"' };
  const stored = expandDelivery('sender', bytes, given).messages.map(({ body }) => Buffer.byteLength(body));
  expect(countStoredBytes(bytes, given)).toEqual(stored);
  expect(countStoredBytes(new Uint8Array(), given)).toEqual([
    (stored[0] ?? 0) - bytes.join(',').length,
    stored[1],
    (stored[2] ?? 0) - bytes.join(',').length,
  ]);
});

test.each([
  [
    { ...sizes, each: 4_000_000 },
    delivery('hello', one),
    /^The message with its payment has 4,000,\d+ bytes/,
    4_000_000,
  ],
  [{ ...sizes, all: 8_000_000 }, delivery('hello', one, one), /^The 2 messages with their payments have/, 8_000_000],
  // Two bytes as it is stored, and four in a list.
  [{ ...sizes, listed: 6_000_000 }, delivery('"'.repeat(600_000), one), /^In a list, the message/, 6_000_000],
])('a refusal names the limit: case %#', (limits, given, description, limit) => {
  const refuse = () => assertSize(beef(1_000_000), given, limits);
  expect(refuse).toThrow(description);
  try {
    refuse();
  } catch (error) {
    expect(error).toMatchObject({ code: 'ERR_INVALID_PAYMENT', details: { field: 'payment.tx', limit } });
  }
});

test('the largest message that its limits allow can be listed in so many bytes', () => {
  const given = delivery('a "quoted" body', [{ outputIndex: 0, note: 'with "quotes"' }]);
  const [message] = expandDelivery('sender', beef(100), given).messages;
  const listed = Buffer.byteLength(JSON.stringify(message?.body));
  const check = (most: number) => () => assertSize(beef(100), given, { ...sizes, listed: most });
  expect(check(listed)).not.toThrow();
  expect(check(listed - 1)).toThrow(RuleError);
});

test.each([
  [101, true],
  [102, false],
])('%i outputs of one message are accepted up to the limit of clients', (count, isTaken) => {
  const outputs = Array.from({ length: count }, (_, outputIndex) => ({ outputIndex }));
  const refuse = () => assertDeliverySize(beef(10), delivery('hello', outputs));
  if (isTaken) expect(refuse).not.toThrow();
  else expect(refuse).toThrow(/101 outputs/);
});

test('a description is stored in the form that wallets accept, and left out when it is too short', () => {
  const stored = (description: string) => {
    const [message] = expandDelivery('sender', beef(10), { ...delivery('hello', one), description }).messages;
    return (JSON.parse(message?.body ?? '') as { payment: { description?: string } }).payment;
  };
  expect(stored('for a message')).toMatchObject({ description: 'for a message' });
  expect(stored('📬'.repeat(100))).toMatchObject({ description: '📬'.repeat(12) });
  expect(stored('four')).not.toHaveProperty('description');
});

test('outputs that are nested too deeply for JSON are refused with that reason', () => {
  let nested: object = {};
  for (let depth = 0; depth < 200_000; depth += 1) nested = { nested };
  expect(() => assertDeliverySize(beef(10), delivery('hello', [nested]))).toThrow(
    'payment.outputs is nested too deeply.',
  );
});
