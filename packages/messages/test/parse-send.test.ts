import { parseSend } from '../src/parse-send.js';
import { RuleError } from '../src/rule-error.js';

const alice = `02${'a'.repeat(64)}`;
const bob = `03${'b'.repeat(64)}`;
const normaliseKey = (key: string) => (/^0[23][0-9a-f]{64}$/i.test(key) ? key.toLowerCase() : undefined);
const options = { normaliseKey, maxRecipients: 100 };
const parse = (message: unknown) => parseSend(options, alice, { message });
const good = { recipient: bob, messageBox: 'inbox', messageId: 'm1', body: 'hello' };

function errorOf(run: () => unknown): Partial<RuleError> {
  try {
    run();
  } catch (error) {
    if (error instanceof RuleError) return error;
    throw error;
  }
  return {};
}

const codeOf = (run: () => unknown): string => errorOf(run).code ?? 'accepted';

test('turns a request into one message for its recipient', () => {
  expect(parse(good)).toEqual({
    sender: alice,
    messageBox: 'inbox',
    messages: [{ recipient: bob, messageBox: 'inbox', messageId: 'm1', sender: alice, body: 'hello' }],
    liveBody: 'hello',
    payment: undefined,
    isSingleRecipient: true,
  });
});

test.each<[string, unknown]>([
  ['ERR_MESSAGE_REQUIRED', undefined],
  ['ERR_MESSAGE_REQUIRED', null],
  ['ERR_MESSAGE_REQUIRED', 'text'],
  ['ERR_MESSAGE_REQUIRED', []],
  ['ERR_INVALID_MESSAGEBOX', { ...good, messageBox: undefined }],
  ['ERR_INVALID_MESSAGEBOX', { ...good, messageBox: 7 }],
  ['ERR_INVALID_MESSAGEBOX', { ...good, messageBox: '  ' }],
  ['ERR_INVALID_MESSAGEBOX', { ...good, messageBox: 'x'.repeat(256) }],
  ['ERR_INVALID_MESSAGEBOX', { ...good, messageBox: 'a\0b' }],
  ['ERR_INVALID_MESSAGEBOX', { ...good, messageBox: '\ud800' }],
  ['ERR_INVALID_MESSAGE_BODY', { ...good, body: undefined }],
  ['ERR_INVALID_MESSAGE_BODY', { ...good, body: null }],
  ['ERR_INVALID_MESSAGE_BODY', { ...good, body: 5 }],
  ['ERR_INVALID_MESSAGE_BODY', { ...good, body: ' ' }],
  ['ERR_INVALID_MESSAGE_BODY', { ...good, body: 'x\udc00' }],
  ['ERR_INVALID_MESSAGE_BODY', { ...good, body: { deep: [{ text: '\ud83d' }] } }],
  ['ERR_INVALID_MESSAGE_BODY', { ...good, body: { '\ud83d': 1 } }],
  ['ERR_RECIPIENT_REQUIRED', { ...good, recipient: undefined }],
  ['ERR_RECIPIENT_REQUIRED', { ...good, recipient: '' }],
  ['ERR_RECIPIENT_REQUIRED', { ...good, recipient: [] }],
  ['ERR_RECIPIENT_REQUIRED', { ...good, recipient: [bob, null], messageId: ['1', '2'] }],
  ['ERR_TOO_MANY_RECIPIENTS', { ...good, recipients: Array(101).fill(bob) }],
  ['ERR_MESSAGEID_REQUIRED', { ...good, messageId: undefined }],
  ['ERR_MESSAGEID_REQUIRED', { ...good, messageId: [] }],
  ['ERR_MESSAGEID_COUNT_MISMATCH', { ...good, messageId: ['1', '2'] }],
  ['ERR_MESSAGEID_COUNT_MISMATCH', { ...good, recipients: [bob, alice], messageId: 'm1' }],
  ['ERR_INVALID_MESSAGEID', { ...good, messageId: 7 }],
  ['ERR_INVALID_MESSAGEID', { ...good, messageId: {} }],
  ['ERR_INVALID_MESSAGEID', { ...good, messageId: '' }],
  ['ERR_INVALID_MESSAGEID', { ...good, messageId: 'x'.repeat(257) }],
  ['ERR_INVALID_MESSAGEID', { ...good, messageId: '箱'.repeat(256) }],
  ['ERR_INVALID_MESSAGEID', { ...good, messageId: '\udfff' }],
  ['ERR_INVALID_RECIPIENT_KEY', { ...good, recipient: 'self' }],
  ['ERR_INVALID_RECIPIENT_KEY', { ...good, recipient: 42 }],
  ['ERR_INVALID_RECIPIENT_KEY', { ...good, recipient: { toString: bob } }],
])('refuses with %s: %j', (code, message) => {
  expect(codeOf(() => parse(message))).toBe(code);
});

test('limits the total size of the copies of a body for all recipients', () => {
  const to = (count: number) => ({ recipients: Array(count).fill(bob), messageId: Array.from(Array(count), String) });
  const megabyte = 'x'.repeat(2 ** 20);
  expect(parse({ ...good, ...to(64), body: megabyte }).messages).toHaveLength(64);
  for (const body of [megabyte, 'ü'.repeat(2 ** 19)]) {
    expect(codeOf(() => parse({ ...good, ...to(65), body }))).toBe('ERR_MESSAGE_TOO_LARGE');
  }
  const unlisted = { ...options, maxListedBytes: Number.POSITIVE_INFINITY };
  const large = { message: { ...good, body: 'x'.repeat(65 * 2 ** 20) } };
  expect(parseSend(unlisted, alice, large).messages).toHaveLength(1);
});

test('refuses a body that no client could list, as it is encoded in the answer', () => {
  const limit = 16_000_000;
  const refusal = (body: unknown) => errorOf(() => parse({ ...good, body }));
  expect(parse({ ...good, body: 'x'.repeat(limit - 2) }).messages).toHaveLength(1);
  expect(refusal('x'.repeat(limit - 1))).toMatchObject({
    code: 'ERR_MESSAGE_TOO_LARGE',
    status: 413,
    details: { field: 'message.body', limit, size: limit + 1 },
    description: expect.stringContaining('the limit is 16,000,000'),
  });
  // Two bytes for each quote of the stored JSON: 10 MB of it can be sent, and not listed.
  const strings = Array(3_300_000).fill('');
  expect(JSON.stringify(strings).length).toBeLessThan(10 * 2 ** 20);
  expect(refusal(strings)).toMatchObject({ code: 'ERR_MESSAGE_TOO_LARGE', details: { field: 'message.body', limit } });
});

test.each([
  [
    { ...good, messageBox: 'x'.repeat(256) },
    { field: 'messageBox', limit: 255 },
  ],
  [
    { ...good, messageId: 'x'.repeat(257) },
    { field: 'message.messageId', limit: 255 },
  ],
  [
    { ...good, recipients: Array(101).fill(bob) },
    { field: 'message.recipients', limit: 100, size: 101 },
  ],
  [
    {
      ...good,
      recipients: Array(65).fill(bob),
      messageId: Array.from(Array(65), String),
      body: 'x'.repeat(2 ** 20),
    },
    { field: 'message.body', limit: 2 ** 26, size: 65 * 2 ** 20 },
  ],
  [{ ...good, messageBox: 5 }, {}],
  [{ ...good, messageId: '' }, {}],
])('a refusal names the field that is too large and its limit, and nothing else: case %#', (message, details) => {
  expect(errorOf(() => parse(message)).details).toEqual(details);
});

test('checks a request in the documented order', () => {
  const wrong: Record<string, unknown> = { messageBox: 1, body: 1, recipient: undefined, messageId: undefined };
  const order: string[] = [];
  for (const [field, right] of [
    ['messageBox', 'inbox'],
    ['body', 'hello'],
    ['recipient', 'no key'],
    ['messageId', ['1', '2']],
    ['messageId', [7]],
    ['messageId', ['1']],
  ] as const) {
    order.push(codeOf(() => parse(wrong)));
    wrong[field] = right;
  }
  order.push(codeOf(() => parse(wrong)));
  expect(order).toEqual([
    'ERR_INVALID_MESSAGEBOX',
    'ERR_INVALID_MESSAGE_BODY',
    'ERR_RECIPIENT_REQUIRED',
    'ERR_MESSAGEID_REQUIRED',
    'ERR_MESSAGEID_COUNT_MISMATCH',
    'ERR_INVALID_MESSAGEID',
    'ERR_INVALID_RECIPIENT_KEY',
  ]);
});

test('counts the code points of names, not the UTF-16 units', () => {
  expect(codeOf(() => parse({ ...good, messageBox: '😀'.repeat(255), messageId: '箱'.repeat(255) }))).toBe('accepted');
  expect(codeOf(() => parse({ ...good, messageBox: '😀'.repeat(256) }))).toBe('ERR_INVALID_MESSAGEBOX');
  expect(codeOf(() => parse({ ...good, messageId: 'x'.repeat(256) }))).toBe('accepted');
  expect(codeOf(() => parse({ ...good, messageId: '😀'.repeat(255) }))).toBe('accepted');
});

test('normalises the spelling of a recipient', () => {
  expect(parse({ ...good, recipient: bob.toUpperCase() }).messages[0]?.recipient).toBe(bob);
});

test('pairs several recipients with their message ids', () => {
  const { messages, isSingleRecipient } = parse({ ...good, recipients: [bob, alice], messageId: ['1', '2'] });
  expect(isSingleRecipient).toBe(false);
  expect(messages.map((m) => [m.recipient, m.messageId])).toEqual([
    [bob, '1'],
    [alice, '2'],
  ]);
});

test('ignores properties of a prototype', () => {
  const polluted = JSON.parse(
    '{"__proto__": {"recipient": "x", "messageBox": "inbox"}, "messageId": "1", "body": "b"}',
  );
  expect(codeOf(() => parse(polluted))).toBe('ERR_INVALID_MESSAGEBOX');
});

describe('the stored body', () => {
  const stored = (body: unknown) => parse({ ...good, body }).messages[0]?.body;

  test('is a text as it is, or the JSON of an object', () => {
    expect(stored('  spaces stay ')).toBe('  spaces stay ');
    expect(stored({ a: [1, 'ü'] })).toBe('{"a":[1,"ü"]}');
  });

  test('wraps an object with a key message, so that a client that unwraps it loses nothing', () => {
    const body = { message: 'hi', kind: 'note' };
    for (const sent of [body, JSON.stringify(body), '{"m\\u0065ssage":"hi","kind":"note"}']) {
      const text = stored(sent) as string;
      const unwrapped = JSON.parse(text).message;
      expect(JSON.parse(unwrapped)).toEqual(body);
    }
  });

  test('does not wrap a body that only looks like such an object', () => {
    for (const sent of ['say "message"', '["message"]', '{"a":{"message":1}}', '{"encryptedMessage":"x"}']) {
      expect(stored(sent)).toBe(sent);
    }
  });

  test('refuses an object that is nested too deeply for the stack', () => {
    const deep = JSON.parse(`${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`);
    expect(codeOf(() => parse({ ...good, body: deep }))).toBe('ERR_INVALID_MESSAGE_BODY');
  });

  test('is not the live body, which stays as it was sent', () => {
    expect(parse({ ...good, body: { message: 'hi' } }).liveBody).toBe('{"message":"hi"}');
  });
});

test.each([{ tx: [] }, {}, 'money', 0, false, ''])('keeps any payment unchecked: %j', (payment) => {
  expect(parseSend(options, alice, { message: good, payment }).payment).toEqual(payment);
});

test.each([null, undefined])('treats %s as no payment', (payment) => {
  expect(parseSend(options, alice, { message: good, payment }).payment).toBeUndefined();
});
