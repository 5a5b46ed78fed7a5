import { PrivateKey, Validation } from '@bsv/sdk';
import { loadCurve, normaliseIdentityKey } from '@messagebox/brc103';
import { RuleError } from '@messagebox/messages';
import { parsePayment } from '../src/parse-payment.js';

const KEY = PrivateKey.fromRandom().toPublicKey().toString();
const OWNER = PrivateKey.fromRandom().toPublicKey().toString();
const OFF_CURVE = `02${'0'.repeat(63)}5`;

const curve = loadCurve();
const parse = (payment: unknown) => parsePayment(payment, (key) => normaliseIdentityKey(key, curve));
const refusal = (payment: unknown): string => {
  try {
    parse(payment);
  } catch (error) {
    if (error instanceof RuleError) return error.code;
    throw error;
  }
  return 'nothing';
};

const remittance = { derivationPrefix: 'cHJlZml4', derivationSuffix: 'c3VmZml4', senderIdentityKey: KEY };
const output = { outputIndex: 0, protocol: 'wallet payment', paymentRemittance: remittance };
const insertion = { outputIndex: 1, protocol: 'basket insertion', insertionRemittance: { basket: 'tokens' } };
const withInsertion = (change: object) => ({
  ...payment,
  outputs: [{ ...insertion, insertionRemittance: { ...insertion.insertionRemittance, ...change } }],
});
const payment = { tx: [1, 2, 255], outputs: [output], description: 'for a message' };
const withOutput = (change: object) => ({ ...payment, outputs: [{ ...output, ...change }] });
const withRemittance = (change: object) => withOutput({ paymentRemittance: { ...remittance, ...change } });

test('parses a payment of the real client', () => {
  expect(parse(payment)).toEqual({
    tx: Uint8Array.of(1, 2, 255),
    outputs: [{ outputIndex: 0, remittance, owner: undefined, given: output }],
    description: 'for a message',
    labels: undefined,
  });
});

test('parses a payment with all optional fields', () => {
  const labelled = { ...payment, outputs: [output, insertion], labels: ['one', 'two'] };
  expect(parse(labelled)).toMatchObject({
    outputs: [{ outputIndex: 0 }, { outputIndex: 1, remittance: undefined, given: insertion }],
    labels: ['one', 'two'],
  });
});

test.each([
  ['in the payment remittance, as text', { paymentRemittance: { ...remittance, customInstructions: owner('text') } }],
  ['in the payment remittance, as it is', { paymentRemittance: { ...remittance, customInstructions: owner('plain') } }],
  ['on the output, as text', { customInstructions: owner('text') }],
  ['on the output, as it is', { customInstructions: owner('plain') }],
  ['in another spelling', { customInstructions: { recipientIdentityKey: OWNER.toUpperCase() } }],
])('reads the owner %s', (_where, change) => {
  expect(parse(withOutput(change)).outputs).toMatchObject([{ owner: OWNER, remittance }]);
});

test('reads the owner in the insertion remittance', () => {
  const named = { ...insertion, insertionRemittance: { basket: 'tokens', customInstructions: owner('text') } };
  expect(parse({ ...payment, outputs: [named] }).outputs).toMatchObject([{ owner: OWNER, given: named }]);
});

test.each(['no JSON', '', '{"other":1}', '[]', 'null', 7, null, { other: 1 }])(
  'accepts instructions without an owner: %p',
  (customInstructions) => {
    expect(parse(withOutput({ customInstructions })).outputs).toMatchObject([{ owner: undefined }]);
  },
);

test('accepts a payment without outputs, which the matching judges', () => {
  expect(parse({ tx: [1] }).outputs).toEqual([]);
  expect(parse({ tx: [1], outputs: null, description: null, labels: null })).toMatchObject({ outputs: [] });
});

test.each([undefined, null, {}, [], '', 'text', 7, { tx: null }, { outputs: [output] }, Object.create({ tx: [1] })])(
  'refuses a payment without a transaction: %p',
  (nothing) => {
    expect(refusal(nothing)).toBe('ERR_MISSING_PAYMENT_TX');
  },
);

test.each([
  ['text', 'AQEB'],
  ['an object', { 0: 1, 1: 2 }],
  ['a number', 7],
  ['true', true],
  ['no byte', [1, 256]],
  ['negative', [-1]],
  ['a fraction', [1.5]],
  ['text inside', [1, '2']],
  ['null inside', [null]],
  ['nested', [[1]]],
])('refuses a transaction that is not a list of bytes: %s', (_what, tx) => {
  expect(refusal({ ...payment, tx })).toBe('ERR_INVALID_PAYMENT');
});

test.each([
  ['outputs as text', { ...payment, outputs: 'all' }],
  ['outputs as an object', { ...payment, outputs: { 0: output } }],
  ['2,001 outputs', { ...payment, outputs: new Array(2_001).fill(output) }],
  ['100,000 outputs that are nothing', { ...payment, outputs: new Array(100_000).fill(0) }],
  ['an output that is null', { ...payment, outputs: [null] }],
  ['no index', withOutput({ outputIndex: undefined })],
  ['a negative index', withOutput({ outputIndex: -1 })],
  ['a fractional index', withOutput({ outputIndex: 0.5 })],
  ['an index as text', withOutput({ outputIndex: '0' })],
  ['an unknown protocol', withOutput({ protocol: 'gift' })],
  ['no protocol', withOutput({ protocol: undefined })],
  ['no remittance', withOutput({ paymentRemittance: undefined })],
  ['both remittances', withOutput({ insertionRemittance: { basket: 'tokens' } })],
  ['an insertion without a basket', withInsertion({ basket: undefined })],
  ['an insertion into an empty basket', withInsertion({ basket: ' ' })],
  ['an insertion into a basket of 301 bytes', withInsertion({ basket: 'x'.repeat(301) })],
  ['an insertion into the basket of the wallet’s own change', withInsertion({ basket: ' Default ' })],
  ['an insertion with instructions of 1,001 bytes', withInsertion({ customInstructions: 'x'.repeat(1_001) })],
  ['an insertion with instructions that are no text', withInsertion({ customInstructions: { a: 1 } })],
  ['an insertion with a tag of 301 bytes', withInsertion({ tags: ['x'.repeat(301)] })],
  ['an insertion with tags as text', withInsertion({ tags: 'one' })],
  [
    'a property that could be a prototype’s',
    JSON.parse(JSON.stringify(withOutput({ here: 1 })).replace('here', '__proto__')),
  ],
  ['such a property deep inside', withOutput({ customInstructions: { a: [{ constructor: 1 }] } })],
  ['an insertion without its remittance', { ...payment, outputs: [{ ...insertion, insertionRemittance: undefined }] }],
  ['an insertion with both', { ...payment, outputs: [{ ...insertion, paymentRemittance: remittance }] }],
  ['no prefix', withRemittance({ derivationPrefix: undefined })],
  ['an empty prefix', withRemittance({ derivationPrefix: '' })],
  ['a prefix that is no base64', withRemittance({ derivationPrefix: 'invoice 7' })],
  ['a prefix of wrong length', withRemittance({ derivationPrefix: 'abcde' })],
  ['padding inside', withRemittance({ derivationPrefix: 'AA=A' })],
  ['padding alone', withRemittance({ derivationSuffix: '====' })],
  ['a suffix of 400 characters', withRemittance({ derivationSuffix: 'A'.repeat(400) })],
  ['a sender that is no key', withRemittance({ senderIdentityKey: 'anyone' })],
  ['a sender off the curve', withRemittance({ senderIdentityKey: OFF_CURVE })],
  ['a sender in upper case', withRemittance({ senderIdentityKey: KEY.toUpperCase() })],
  ['an owner that is no key', withOutput({ customInstructions: { recipientIdentityKey: 'bob' } })],
  ['an owner off the curve', withOutput({ customInstructions: { recipientIdentityKey: OFF_CURVE } })],
  ['an owner that is a number', withOutput({ customInstructions: '{"recipientIdentityKey":7}' })],
  ['a description of 2,001 bytes', { ...payment, description: 'x'.repeat(2_001) }],
  ['a description with half of a pair', { ...payment, description: 'half \ud800' }],
  ['a description that is a number', { ...payment, description: 12345 }],
  ['labels as text', { ...payment, labels: 'one' }],
  ['an empty label', { ...payment, labels: [''] }],
  ['a label of spaces, which wallets trim', { ...payment, labels: ['   '] }],
  ['a label that is longer in lower case', { ...payment, labels: ['\u0130'.repeat(150)] }],
  ['a label of 301 bytes', { ...payment, labels: ['x'.repeat(301)] }],
  ['101 labels', { ...payment, labels: new Array(101).fill('one') }],
])('refuses %s', (_what, wrong) => {
  expect(refusal(wrong)).toBe('ERR_INVALID_PAYMENT');
});

test('removes null fields, which wallets take for wrong values', () => {
  const nulls = { ...output, insertionRemittance: null, customInstructions: null };
  const [read] = parse({ ...payment, outputs: [nulls] }).outputs;
  expect(read?.given).toEqual(output);
  expect(() => Validation.validateInternalizeOutput(nulls as never)).toThrow();
  expect(() => Validation.validateInternalizeOutput(read?.given as never)).not.toThrow();
});

test('accepts any description that is a text within the limit', () => {
  for (const description of ['', 'four', 'x'.repeat(51), 'tab\tand\u0085more', '本'.repeat(600)]) {
    expect(parse({ ...payment, description })).toMatchObject({ description });
  }
});

test('accepts only what wallets accept', () => {
  const longest = `${'A'.repeat(394)}AA==`.slice(-396);
  for (const derivation of ['AAAA', 'AAA=', 'AA==', '+/+/', longest]) {
    const [{ given } = { given: {} }] = parse(withRemittance({ derivationPrefix: derivation })).outputs;
    expect(() => Validation.validateWalletPayment((given as typeof output).paymentRemittance)).not.toThrow();
  }
  // Values that wallets refuse are refused here.
  for (const derivation of ['invoice 7', 'abcde', '====', 'A===', '']) {
    expect(() => Validation.validateWalletPayment({ ...remittance, derivationPrefix: derivation } as never)).toThrow();
    expect(refusal(withRemittance({ derivationPrefix: derivation }))).toBe('ERR_INVALID_PAYMENT');
  }
});

function owner(form: 'text' | 'plain'): unknown {
  const named = { derivationPrefix: 'x', recipientIdentityKey: OWNER };
  return form === 'text' ? JSON.stringify(named) : named;
}
