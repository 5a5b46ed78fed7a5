import { toWalletDescription } from '../src/payment-description.js';

test.each([
  'MessageBox delivery payment',
  'MessageBox delivery payment (batch)',
  'five!',
  'x'.repeat(50),
  '本'.repeat(16),
])('keeps %s', (description) => {
  expect(toWalletDescription(description)).toBe(description);
});

test.each([
  ['51 letters', 'x'.repeat(51), 'x'.repeat(50)],
  ['three bytes each, at the bound', '本'.repeat(17), '本'.repeat(16)],
  ['four bytes each, at the bound', `ab${'📬'.repeat(13)}`, `ab${'📬'.repeat(12)}`],
  ['a space where it is cut', `${'x'.repeat(49)} more`, 'x'.repeat(49)],
  ['spaces around', '  for a message  ', 'for a message'],
  ['control characters', 'for\na\u0000\u0085message', 'for a message'],
  ['a control character at the end', 'message\u007f', 'message'],
])('makes a description fit: %s', (_what, given, stored) => {
  expect(toWalletDescription(given)).toBe(stored);
  expect(Buffer.byteLength(stored)).toBeLessThanOrEqual(50);
});

test.each([undefined, '', 'four', '    x    ', '\u0001\u0002\u0003\u0004\u0005', '本'])(
  'leaves out a description that is too short for a wallet: %p',
  (description) => {
    expect(toWalletDescription(description)).toBeUndefined();
  },
);
