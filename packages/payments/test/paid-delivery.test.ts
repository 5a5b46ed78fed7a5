import { RuleError } from '@messagebox/shared';
import { type PaidDelivery, refuseTooLarge, unfold } from '../src/paid-delivery.js';

const beef = (bytes: number) => new Uint8Array(bytes).fill(200);
const delivery = (body: string, ...outputs: object[][]): PaidDelivery => ({
  messageBox: 'inbox',
  body,
  messages: outputs.map((given, i) => ({ recipient: `recipient ${i}`, messageId: `${i}`, outputs: given })),
});
const one = [{ outputIndex: 0 }];

/** What would be stored for those who are paid. */
const bytesOf = (bytes: number, of: PaidDelivery) =>
  unfold('sender', beef(bytes), of)
    .messages.filter(({ body }) => body !== of.body)
    .map(({ body }) => Buffer.byteLength(body));

test.each<[string, number, PaidDelivery, boolean]>([
  ['what a transaction of a megabyte is for one', 1_000_000, delivery('hello', one), true],
  ['for four', 1_000_000, delivery('hello', one, one, one, one), true],
  ['for five', 1_000_000, delivery('hello', one, one, one, one, one), false],
  ['with a body that makes too much of it for one', 1_000_000, delivery('x'.repeat(4_500_000), one), false],
  ['with a body of quotes, which are written twice as long', 1_000_000, delivery('"'.repeat(2_500_000), one), false],
  ['with a body of characters that take four bytes', 1_000_000, delivery('😀'.repeat(1_200_000), one), false],
  ['with as large a description of one output', 100, delivery('hello', [{ note: 'x'.repeat(9_000_000) }]), false],
  ['whatever there is for who is not paid', 1_000_000, delivery('x'.repeat(9_000_000), []), true],
])('%s', (_what, bytes, given, isTaken) => {
  const sizes = bytesOf(bytes, given);
  const fits = sizes.every((size) => size <= 8 * 2 ** 20) && sizes.reduce((sum, size) => sum + size, 0) <= 16 * 2 ** 20;
  expect(fits).toBe(isTaken);
  if (isTaken) expect(() => refuseTooLarge(beef(bytes), given)).not.toThrow();
  else expect(() => refuseTooLarge(beef(bytes), given)).toThrow(RuleError);
});

test.each([
  [101, true],
  [102, false],
])('of %i outputs for one message clients take all or nothing', (count, isTaken) => {
  const outputs = Array.from({ length: count }, (_, outputIndex) => ({ outputIndex }));
  const refuse = () => refuseTooLarge(beef(10), delivery('hello', outputs));
  if (isTaken) expect(refuse).not.toThrow();
  else expect(refuse).toThrow(/101 outputs/);
});

test('a description is stored as wallets take it, and not at all when it is too short', () => {
  const stored = (description: string) => {
    const [message] = unfold('sender', beef(10), { ...delivery('hello', one), description }).messages;
    return (JSON.parse(message?.body ?? '') as { payment: { description?: string } }).payment;
  };
  expect(stored('for a message')).toMatchObject({ description: 'for a message' });
  expect(stored('📬'.repeat(100))).toMatchObject({ description: '📬'.repeat(12) });
  expect(stored('four')).not.toHaveProperty('description');
});

test('outputs nested too deeply to be written are refused as such', () => {
  let nested: object = {};
  for (let depth = 0; depth < 200_000; depth += 1) nested = { nested };
  expect(() => refuseTooLarge(beef(10), delivery('hello', [nested]))).toThrow('payment.outputs is nested too deeply.');
});
