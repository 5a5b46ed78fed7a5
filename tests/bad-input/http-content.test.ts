import { RawClient, type Session, type WireRequest } from '@messagebox/test-support/raw-client';
import { createUniqueId, HttpTestBed, type Listed, notExpiryTimes, SECRET } from './refusals.ts';

let world: HttpTestBed;
beforeAll(async () => {
  world = await HttpTestBed.start();
});
afterAll(() => world.close());

const LONE = '\ud800';
/** As deep as is still taken, within two levels more. */
const DEEP = 126;
const deepArray = '['.repeat(DEEP) + ']'.repeat(DEEP);
const deepObject = `${'{"a":'.repeat(DEEP)}1${'}'.repeat(DEEP)}`;
const huge = 'h'.repeat(1_000_000);
/** 255 of something that takes two UTF-16 units each. */
const astral = (count: number) => '\u{1f600}'.repeat(count);
/** JSON for a value that JSON.stringify can't write. */
const raw = (json: string) => ({ json });
type Value = unknown;

/** JSON text in which one field of the template holds this value; undefined leaves it out. */
function withField(template: Record<string, unknown>, field: string, value: Value): string {
  const marker = '"\u0001here"';
  const isRaw = typeof value === 'object' && value !== null && 'json' in value;
  const json = isRaw ? String(value.json) : JSON.stringify(value);
  const text = JSON.stringify({ ...template, [field]: value === undefined ? undefined : '\u0001here' });
  return value === undefined
    ? text
    : text.replace(JSON.stringify(JSON.parse(marker.replace('\u0001', '\\u0001'))), () => json);
}

const label = (value: Value) => {
  const text = value === undefined ? 'left out' : (JSON.stringify(value) ?? String(value));
  return text.length > 60 ? `${text.slice(0, 60)}… (${text.length})` : text;
};
const table = (values: readonly Value[], code = ''): [string, Value, string][] =>
  values.map((value) => [label(value), value, code]);

/** Values that are no name: of a message or a box. What counts as missing is told apart in the tables below. */
const notNames: readonly Value[] = [
  0,
  7,
  -1,
  1.5,
  raw('1e999'),
  true,
  false,
  {},
  { length: 3 },
  { toString: 'inbox' },
  ' ',
  '\t\n',
  '\u00a0\u2003',
  '\0',
  'in\0box',
  LONE,
  `inbox${LONE}`,
  raw('"\\udc00x"'),
  'x'.repeat(257),
  astral(256),
  huge,
  raw(deepObject),
];

const notKeys: readonly Value[] = [
  0,
  7,
  true,
  false,
  {},
  { length: 66 },
  ' ',
  'self',
  'anyone',
  'Self',
  'zz'.repeat(33),
  '02',
  `02${'11'.repeat(31)}`,
  `02${'11'.repeat(33)}`,
  `02${'ff'.repeat(32)}`,
  `02${'00'.repeat(32)}`,
  `05${'11'.repeat(32)}`,
  `04${'11'.repeat(64)}`,
  `04${'00'.repeat(64)}`,
  '00',
  LONE,
  huge,
  raw(deepArray),
];

describe('POST /sendMessage', () => {
  test.each([
    ['null', 'null'],
    ['a number', '7'],
    ['a text', '"message"'],
    ['true', 'true'],
    ['an array', '[]'],
    ['an array of a message', '[{"message":{}}]'],
    ['an empty object', '{}'],
    ['deep arrays', deepArray],
    ['deep objects', deepObject],
    ['__proto__', `{"__proto__":{"message":{"recipient":"x","messageBox":"inbox","messageId":"1","body":"b"}}}`],
    ['constructor', '{"constructor":{"prototype":{"message":{}}}}'],
  ])('refuses a body that is %s', async (_name, body) => {
    await world.expectRefused(world.sendMessage(body), 'ERR_MESSAGE_REQUIRED');
    expect({}).not.toHaveProperty('message');
  });

  test.each(table([undefined, null, 0, 7, '', 'text', true, [], [{}], huge, raw(deepArray)]))(
    'refuses the message %s',
    async (_label, value) => {
      await world.expectRefused(world.sendMessage(withField({}, 'message', value)), 'ERR_MESSAGE_REQUIRED');
    },
  );

  test('ignores fields of the prototype', async () => {
    const fields = JSON.stringify(world.message().message);
    await world.expectRefused(world.sendMessage(`{"message":{"__proto__":${fields}}}`), 'ERR_INVALID_MESSAGEBOX');
    await world.expectRefused(
      world.sendMessage(`{"message":{"constructor":{"prototype":${fields}}}}`),
      'ERR_INVALID_MESSAGEBOX',
    );
  });

  const field = async (name: string, value: Value, code: string) => {
    const message = withField(world.message().message, name, value);
    await world.expectRefused(world.sendMessage(`{"message":${message}}`), code);
  };

  test.each(table([undefined, null, '', [], ['inbox'], 'x'.repeat(256), ...notNames]))(
    'refuses the messageBox %s',
    async (_label, value) => {
      await field('messageBox', value, 'ERR_INVALID_MESSAGEBOX');
    },
  );

  test.each(
    table([
      undefined,
      null,
      '',
      ' \n',
      0,
      7,
      true,
      false,
      raw('1e999'),
      LONE,
      `text${LONE}`,
      { [LONE]: 1 },
      { a: [{ b: LONE }] },
      [LONE],
    ]),
  )('refuses the body %s', async (_label, value) => {
    await field('body', value, 'ERR_INVALID_MESSAGE_BODY');
  });

  test.each([
    ...table([undefined, null, '', [], [null], [''], [undefined]], 'ERR_RECIPIENT_REQUIRED'),
    ...table(notKeys, 'ERR_INVALID_RECIPIENT_KEY'),
    ...table(
      notKeys.filter((key) => typeof key !== 'object').map((key) => [key]),
      'ERR_INVALID_RECIPIENT_KEY',
    ),
    ...table([[['02']], [[]], [{}]], 'ERR_INVALID_RECIPIENT_KEY'),
  ])('refuses the recipient %s', async (_label, value, code) => {
    await field('recipient', value, code);
  });

  test.each([
    ...table([null, 7, '', 'self', {}, true, huge, []], 'ERR_RECIPIENT_REQUIRED'),
    ...table([[null], ['']], 'ERR_RECIPIENT_REQUIRED'),
    ...table([[7], ['self'], [[]], [{}]], 'ERR_INVALID_RECIPIENT_KEY'),
  ])('refuses the recipients %s', async (_label, value, code) => {
    const { recipient: _left, ...message } = world.message().message;
    await world.expectRefused(world.sendMessage(`{"message":${withField(message, 'recipients', value)}}`), code);
  });

  test.each([
    ...table([undefined, null, []], 'ERR_MESSAGEID_REQUIRED'),
    ...table(['', ...notNames], 'ERR_INVALID_MESSAGEID'),
    ...table([[''], [' '], [null], [7], [['id']], [{}], ['x'.repeat(257)], [LONE]], 'ERR_INVALID_MESSAGEID'),
    ...table([['a', 'b'], Array<string>(1_000).fill('a')], 'ERR_MESSAGEID_COUNT_MISMATCH'),
  ])('refuses the messageId %s', async (_label, value, code) => {
    await field('messageId', value, code);
  });

  test.each(table(notExpiryTimes(), 'ERR_INVALID_EXPIRES_AT'))('expiresAt: %s', async (_label, value, code) => {
    await field('expiresAt', value, code);
  });

  test.each(table([0, 1, '', 'false', 'true', [], [false], {}, huge], 'ERR_INVALID_URGENT'))(
    'refuses urgent: %s',
    async (_label, value, code) => {
      await field('urgent', value, code);
    },
  );

  test('urgent may be true, false or null', async () => {
    for (const urgent of [true, false, null]) {
      await world.expectAccepted(world.sendMessage(world.message({ messageBox: 'urgent', urgent })));
    }
    for (const message of await world.list('urgent')) expect(message).not.toHaveProperty('urgent');
    expect(await world.list('urgent')).toHaveLength(3);
  });

  test('one expiresAt for a batch, or none: null is none', async () => {
    const expiresAt = new Date(Math.ceil(Date.now() / 1_000) * 1_000 + 60_000).toISOString();
    const recipient = [world.recipient.client.identityKey, world.sender.client.identityKey];
    const messageId = [createUniqueId(), createUniqueId()];
    const batch = { messageBox: 'expiring', recipient, messageId, expiresAt };
    await world.expectAccepted(world.sendMessage(world.message(batch)));
    await world.expectAccepted(world.sendMessage(world.message({ messageBox: 'expiring', expiresAt: null })));
    const [first, second] = await world.list('expiring');
    expect(first).toMatchObject({ messageId: messageId[0], expiresAt });
    expect(second).not.toHaveProperty('expiresAt');
    expect(await world.list('expiring', world.sender)).toMatchObject([{ messageId: messageId[1], expiresAt }]);
  });

  // More in payments.test.ts.
  test.each([
    ...table([{}, [], 0, false, '', 'money', huge], 'ERR_MISSING_PAYMENT_TX'),
    ...table([{ tx: [] }, { tx: 'money' }], 'ERR_INVALID_PAYMENT'),
  ])('refuses the payment %s', async (_label, value, code) => {
    const request = withField(world.message(), 'payment', value);
    await world.expectRefused(world.sendMessage(request), code);
  });

  test('one invalid recipient refuses the whole batch', async () => {
    const { recipient } = world.message().message;
    const bad = [recipient, new RawClient().identityKey, 'self'];
    const ids = bad.map(() => createUniqueId());
    await world.expectRefused(
      world.sendMessage(world.message({ recipient: bad, messageId: ids })),
      'ERR_INVALID_RECIPIENT_KEY',
    );
  });

  test('one invalid id refuses the whole batch', async () => {
    const recipient = [world.recipient.client.identityKey, new RawClient().identityKey];
    await world.expectRefused(
      world.sendMessage(world.message({ recipient, messageId: [createUniqueId(), 'x'.repeat(257)] })),
      'ERR_INVALID_MESSAGEID',
    );
  });

  test('accepts a megabyte to 65 recipients at once', async () => {
    const recipient = Array.from({ length: 65 }, () => world.recipient.client.identityKey);
    const messageId = recipient.map(() => createUniqueId());
    const body = 'x'.repeat(2 ** 20);
    await world.expectRefused(
      world.sendMessage(world.message({ recipient, messageId, body })),
      'ERR_MESSAGE_TOO_LARGE',
    );
  });

  test('accepts 100 recipients, and refuses 101 with advice', async () => {
    const recipient = Array.from({ length: 101 }, () => world.recipient.client.identityKey);
    const messageId = recipient.map((_key, i) => `many ${i}`);
    const request = world.sendMessage(world.message({ recipient, messageId }));
    const { text } = await world.expectRefused(request, 'ERR_TOO_MANY_RECIPIENTS');
    expect(text).toMatch(/limit is 100 .* in portions/);
    await world.expectAccepted(
      world.sendMessage(
        world.message({ recipient: recipient.slice(1), messageId: messageId.slice(1), messageBox: 'many' }),
      ),
    );
    expect(await world.list('many')).toHaveLength(100);
  });
});

describe('POST /listMessages', () => {
  const ask = async (value: Value, name: string, code: string) => {
    const body = withField({ messageBox: 'inbox' }, name, value);
    await world.expectRefused(world.recipient.post('/listMessages', body), code, world.recipient);
  };

  test.each(
    ['null', '7', '"inbox"', '[]', '["inbox"]', '{}', deepArray, '{"__proto__":{"messageBox":"inbox"}}'].map((body) => [
      body.slice(0, 40),
      body,
    ]),
  )('refuses a body like %s', async (_label, body) => {
    await world.expectRefused(world.recipient.post('/listMessages', body), 'ERR_MESSAGEBOX_REQUIRED', world.recipient);
  });

  test.each([
    ...table([undefined, null, ''], 'ERR_MESSAGEBOX_REQUIRED'),
    ...table([[], ['inbox'], 'x'.repeat(256), ...notNames], 'ERR_INVALID_MESSAGEBOX'),
  ])('refuses the messageBox %s', async (_label, value, code) => {
    await ask(value, 'messageBox', code);
  });

  test.each(
    table([
      null,
      0,
      -1,
      1.5,
      10_001,
      raw('1e999'),
      raw('-1e999'),
      '',
      '5',
      'NaN',
      true,
      [],
      [5],
      {},
      huge,
      raw(deepArray),
    ]),
  )('refuses the limit %s', async (_label, value) => {
    await ask(value, 'limit', 'ERR_INVALID_LIMIT');
  });

  test.each(
    table([
      null,
      0,
      5,
      '',
      ' 5',
      '5 ',
      '-1',
      '1.5',
      '1e5',
      '0x1',
      'NaN',
      "1' OR '1'='1",
      '\u0661',
      '9'.repeat(19),
      huge,
      true,
      [],
      ['5'],
      {},
      raw(deepArray),
    ]),
  )('refuses the cursor %s', async (_label, value) => {
    await ask(value, 'after', 'ERR_INVALID_AFTER');
  });

  test.each(
    table([
      null,
      -1,
      -0.5,
      1.5,
      100_001,
      raw('1e999'),
      raw('-1e999'),
      raw('9007199254740993'),
      '',
      '0',
      '5',
      'NaN',
      "1' OR '1'='1",
      true,
      [],
      [0],
      {},
      huge,
      raw(deepArray),
    ]),
  )('refuses the offset or skip %s', async (_label, value) => {
    await ask(value, 'offset', 'ERR_INVALID_OFFSET');
    await ask(value, 'skip', 'ERR_INVALID_OFFSET');
  });

  test.each(table([null, 0, -1, 1.5, 1_001, 10_000, raw('1e999'), '', '5', true, [], [5], {}]))(
    'refuses the limit %s beside an offset',
    async (_label, value) => {
      const body = withField({ messageBox: 'inbox', offset: 0 }, 'limit', value);
      await world.expectRefused(world.recipient.post('/listMessages', body), 'ERR_INVALID_LIMIT', world.recipient);
    },
  );

  test('refuses an offset that differs from skip, or is used with a cursor', async () => {
    const refused = (paging: object, code: string) =>
      world.expectRefused(
        world.recipient.post('/listMessages', { messageBox: 'inbox', ...paging }),
        code,
        world.recipient,
      );
    await refused({ offset: 1, skip: 2 }, 'ERR_INVALID_OFFSET');
    await refused({ offset: 1, after: '5' }, 'ERR_INVALID_AFTER');
  });

  test.each(table([null, '', [], ['id'], ...notNames]))('refuses the messageId %s', async (_label, value) => {
    await ask(value, 'messageId', 'ERR_INVALID_MESSAGEID');
    const body = withField({ messageBox: 'inbox', offset: 0 }, 'messageId', value);
    await world.expectRefused(world.recipient.post('/listMessages', body), 'ERR_INVALID_MESSAGEID', world.recipient);
  });

  test('a list by the id of another identity or another box is empty', async () => {
    const messageId = createUniqueId();
    await world.expectAccepted(world.sendMessage(world.message({ messageId, messageBox: 'theirs' })));
    const find = async (by: Session, messageBox: string, paging: object) => {
      const request = by.post('/listMessages', { messageBox, messageId, ...paging });
      return (await world.expectAccepted(request, by))['messages'] as Listed[];
    };
    for (const paging of [{}, { offset: 0 }, { offset: 0, limit: 1_000 }]) {
      expect(await find(world.recipient, 'theirs', paging)).toMatchObject([{ messageId, body: SECRET }]);
      for (const [by, box] of [
        [world.sender, 'theirs'],
        [world.recipient, 'inbox'],
      ] as const) {
        expect(await find(by, box, paging)).toEqual([]);
      }
    }
  });

  test('accepts the largest offset and limit, and an offset beyond the last message', async () => {
    const body = { messageBox: 'inbox', limit: 1_000, offset: 100_000, skip: 100_000 };
    expect(await world.expectAccepted(world.recipient.post('/listMessages', body), world.recipient)).toEqual({
      status: 'success',
      messages: [],
      limit: 1_000,
      offset: 100_000,
      nextOffset: null,
      hasMore: false,
    });
  });

  test('accepts the largest of both', async () => {
    const body = { messageBox: 'inbox', limit: 10_000, after: '9'.repeat(18) };
    expect(await world.expectAccepted(world.recipient.post('/listMessages', body), world.recipient)).toEqual({
      status: 'success',
      messages: [],
    });
  });
});

describe('POST /acknowledgeMessage', () => {
  const ask = async (body: string, code: string) => {
    await world.expectAccepted(world.sendMessage());
    return world.expectRefused(world.recipient.post('/acknowledgeMessage', body), code, world.recipient);
  };

  test('accepts 1,000 ids, and refuses 1,001 with advice, although one of them exists', async () => {
    const { message } = world.message();
    await world.expectAccepted(world.sendMessage({ message }));
    const ids = [message['messageId'], ...Array.from({ length: 1_000 }, (_, n) => `unknown ${n}`)];
    const { text } = await ask(JSON.stringify({ messageIds: ids }), 'ERR_TOO_MANY_MESSAGE_IDS');
    expect(text).toMatch(/limit is 1,000 .* in portions/);
    const messageIds = ids.slice(0, 1_000);
    await world.expectAccepted(world.recipient.post('/acknowledgeMessage', { messageIds }), world.recipient);
  });

  test.each(
    ['null', '7', '"id"', '[]', '["id"]', '{}', deepObject, '{"__proto__":{"messageIds":["id"]}}'].map((body) => [
      body.slice(0, 40),
      body,
    ]),
  )('refuses a body like %s', async (_label, body) => {
    await ask(body, 'ERR_MESSAGE_ID_REQUIRED');
  });

  test.each([
    ...table([undefined, null, []], 'ERR_MESSAGE_ID_REQUIRED'),
    ...table([0, 7, '', 'abc', true, {}, { length: 1, 0: 'id' }], 'ERR_INVALID_MESSAGE_ID'),
    ...table(
      [null, '', ' ', [], ['id'], ...notNames].map((id) =>
        id !== null && typeof id === 'object' && 'json' in id ? raw(`[${String(id.json)}]`) : [id],
      ),
      'ERR_INVALID_MESSAGE_ID',
    ),
    ...table([['id', 7]], 'ERR_INVALID_MESSAGE_ID'),
    ...table([['nobody has this']], 'ERR_INVALID_ACKNOWLEDGMENT'),
  ])('refuses the messageIds %s', async (_label, value, code) => {
    await ask(withField({}, 'messageIds', value), code);
  });

  test('a valid id beside an invalid one deletes nothing', async () => {
    const messageId = createUniqueId();
    await world.expectAccepted(world.sendMessage(world.message({ messageId })));
    await ask(JSON.stringify({ messageIds: [messageId, 'x'.repeat(257)] }), 'ERR_INVALID_MESSAGE_ID');
    await ask(JSON.stringify({ messageIds: [`${messageId} `, messageId.toUpperCase()] }), 'ERR_INVALID_ACKNOWLEDGMENT');
  });

  test('treats ids that look like patterns as plain ids', async () => {
    await ask(JSON.stringify({ messageIds: ['%', '_', "' OR 1=1 --", '"', '\\', '*'] }), 'ERR_INVALID_ACKNOWLEDGMENT');
  });

  test('answers a body full of ids', async () => {
    const messageIds = Array.from({ length: 200_000 }, (_, i) => `${i}`);
    await ask(JSON.stringify({ messageIds }), 'ERR_TOO_MANY_MESSAGE_IDS');
  });
});

describe('bodies that are not JSON', () => {
  const noJson: [string, string | Uint8Array][] = [
    ['empty', ''],
    ['white space', ' \r\n'],
    ['cut off', '{"message":{"recipient":"'],
    ['with a comma too many', '{"message":{},}'],
    ['with single quotes', "{'message':{}}"],
    ['NaN', '{"message":NaN}'],
    ['two values', '{}{}'],
    ['form data', 'message=1&recipient=2'],
    ['XML', '<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>'],
    ['a NUL byte', '{"message":\0{}}'],
    ['a raw NUL in a text', '{"message":"\0"}'],
    ['an unfinished escape', '{"message":"\\ud8"}'],
    ['arrays that never close', '['.repeat(100)],
    ['arrays that are too deep', '['.repeat(100_000) + ']'.repeat(100_000)],
    ['objects that are too deep', `{"message":${'{"a":'.repeat(128)}1${'}'.repeat(128)}}`],
    ['an overlong NUL', Buffer.from([0x22, 0xc0, 0x80, 0x22])],
    ['half a surrogate pair in UTF-8', Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22])],
    ['a lone continuation byte', Buffer.from([0x22, 0x80, 0x22])],
    ['a cut UTF-8 sequence', Buffer.from([0x22, 0xf0, 0x9f, 0x98, 0x22])],
    ['beyond Unicode', Buffer.from([0x22, 0xf4, 0x90, 0x80, 0x80, 0x22])],
    ['Latin-1', Buffer.from('{"message":"caf\u00e9"}', 'latin1')],
    ['UTF-16', Buffer.from('{"message":{}}', 'utf16le')],
    ['UTF-16 with a byte order mark', Buffer.from('\ufeff{"message":{}}', 'utf16le')],
    ['two byte order marks', '\ufeff\ufeff{"message":{}}'],
    ['random bytes', Buffer.from(Array.from({ length: 300 }, (_, i) => (i * 97) % 256))],
  ];
  describe.each(['/sendMessage', '/listMessages', '/acknowledgeMessage'])('%s', (path) => {
    test.each(noJson)('%s', async (_name, body) => {
      await world.expectRefused(world.sender.post(path, body), 'ERR_INVALID_JSON');
    });
  });

  test('skips one byte order mark, which the signature covers', async () => {
    const messageId = createUniqueId();
    await world.expectAccepted(world.sendMessage(`\ufeff${JSON.stringify(world.message({ messageId }))}`));
    expect(await world.list()).toContainEqual(expect.objectContaining({ messageId, body: SECRET }));
  });
});

describe('unusual but valid input', () => {
  const sent = async (fields: Record<string, unknown>): Promise<Listed | undefined> => {
    const messageId = createUniqueId();
    await world.expectAccepted(world.sendMessage(world.message({ messageId, ...fields })));
    const box = typeof fields['messageBox'] === 'string' ? fields['messageBox'] : 'inbox';
    return (await world.list(box)).find((message) => message.messageId === (fields['messageId'] ?? messageId));
  };

  test.each<[string, unknown, string]>([
    ['an empty object', {}, '{}'],
    ['an empty array', [], '[]'],
    ['a NUL', 'a\0b', 'a\0b'],
    ['a pair of surrogates', '\u{1f600}', '\u{1f600}'],
    ['markup', '<script>alert(1)</script>', '<script>alert(1)</script>'],
    ['SQL', `'); DROP TABLE messages; --`, `'); DROP TABLE messages; --`],
    ['the escape of half a pair', '\\ud800', '\\ud800'],
    [
      'an object with odd keys',
      JSON.parse('{"__proto__":1,"constructor":2,"":3}'),
      '{"__proto__":1,"constructor":2,"":3}',
    ],
    [
      'an object like the wrapper of payments',
      { message: 'a', b: 1 },
      '{"message":"{\\"message\\":\\"a\\",\\"b\\":1}"}',
    ],
  ])('a body of %s comes back as it was sent', async (_name, body, stored) => {
    expect(await sent({ body })).toMatchObject({ body: stored });
  });

  test.each([
    ['255 letters', 'n'.repeat(255)],
    ['255 code points of two units each', astral(255)],
    ['255 combining marks', 'e\u0301'.repeat(127)],
    ['quotes and percent signs', `"'\`%_\\;--`],
    ['path-like', '../../etc/passwd'],
    ['hyphens', '-a-b-'],
    ['trailing white space', ' in box '],
    ['__proto__', '__proto__'],
  ])('accepts a name of %s unchanged, for ids and boxes', async (_name, name) => {
    expect(await sent({ messageBox: name, messageId: name })).toMatchObject({ messageId: name, body: SECRET });
    await world.expectAccepted(world.recipient.post('/acknowledgeMessage', { messageIds: [name] }), world.recipient);
    expect(await world.list(name)).toEqual([]);
  });

  test.each([
    ['256 letters', 'n'.repeat(256)],
    ['256 bytes in characters of two', 'ü'.repeat(128)],
    ['1,020 bytes in 255 code points', astral(255)],
  ])('accepts, finds and acknowledges an id of %s', async (_name, messageId) => {
    expect(await sent({ messageId, messageBox: 'long ids' })).toMatchObject({ messageId });
    const request = world.recipient.post('/listMessages', { messageBox: 'long ids', offset: 0, messageId });
    expect(await world.expectAccepted(request, world.recipient)).toMatchObject({ messages: [{ messageId }] });
    const messageIds = [messageId];
    await world.expectAccepted(world.recipient.post('/acknowledgeMessage', { messageIds }), world.recipient);
    expect(await world.list('long ids')).toEqual([]);
  });

  test('names that differ in case, accent, normal form, width or white space are different names', async () => {
    const names = [
      'name',
      'Name',
      'NAME',
      'n\u00e4me',
      'na\u0308me',
      'name ',
      ' name',
      'name\t',
      '\uff4eame',
      'name\u200b',
    ];
    for (const [i, name] of names.entries()) expect(await sent({ messageBox: name, body: `box ${i}` })).toBeDefined();
    for (const [i, name] of names.entries()) {
      expect((await world.list(name)).map(({ body }) => body)).toEqual([`box ${i}`]);
    }
    for (const name of names) await sent({ messageBox: 'apart', messageId: name, body: name });
    expect((await world.list('apart')).map(({ messageId }) => messageId)).toEqual(names);
    await world.expectAccepted(world.recipient.post('/acknowledgeMessage', { messageIds: ['name'] }), world.recipient);
    expect((await world.list('apart')).map(({ messageId }) => messageId)).toEqual(names.slice(1));
  });

  test('ids of 256 characters that differ only in the last one are different ids', async () => {
    const ids = ['a', 'b'].map((last) => 'i'.repeat(255) + last);
    for (const messageId of ids) await sent({ messageId, messageBox: 'long' });
    expect((await world.list('long')).map(({ messageId }) => messageId)).toEqual(ids);
  });
});

describe('recipients in other spellings of their key', () => {
  let reader: Session;
  beforeEach(async () => {
    reader = await new RawClient().shakeHands(world.server.port);
  });

  test('upper-case and uncompressed keys reach the same identity, and no other', async () => {
    const key = reader.client.identityKey;
    const spellings = [key, key.toUpperCase(), uncompressed(key), uncompressed(key).toUpperCase()];
    for (const recipient of spellings) {
      const messageId = createUniqueId();
      const answer = await world.expectAccepted(world.sendMessage(world.message({ recipient, messageId })));
      expect(answer).toMatchObject({ results: [{ recipient: key, messageId }] });
    }
    expect(await world.list('inbox', reader)).toHaveLength(spellings.length);
  });

  test('one id sent to two spellings of a key is one message', async () => {
    const key = reader.client.identityKey;
    const messageId = createUniqueId();
    const recipient = [key, key.toUpperCase(), uncompressed(key)];
    const request = world.message({ recipient, messageId: recipient.map(() => messageId) });
    await world.expectAccepted(world.sendMessage(request));
    expect(await world.list('inbox', reader)).toHaveLength(1);
  });

  test('a recipient that is named twice with two ids gets two messages', async () => {
    const key = reader.client.identityKey;
    await world.expectAccepted(
      world.sendMessage(world.message({ recipient: [key, key], messageId: [createUniqueId(), createUniqueId()] })),
    );
    expect(await world.list('inbox', reader)).toHaveLength(2);
  });

  test('refuses hybrid encodings of a valid point', async () => {
    const point = uncompressed(reader.client.identityKey).slice(2);
    for (const prefix of ['06', '07']) {
      const request: WireRequest = world.sendMessage(world.message({ recipient: prefix + point }));
      await world.expectRefused(request, 'ERR_INVALID_RECIPIENT_KEY');
    }
  });

  test('refuses an uncompressed key whose y belongs to the other point', async () => {
    const other = uncompressed(new RawClient().identityKey).slice(66);
    const recipient = uncompressed(reader.client.identityKey).slice(0, 66) + other;
    await world.expectRefused(world.sendMessage(world.message({ recipient })), 'ERR_INVALID_RECIPIENT_KEY');
  });
});

test('refuses an id that another sender or box has used, and changes nothing', async () => {
  const messageId = createUniqueId();
  await world.expectAccepted(world.sendMessage(world.message({ messageId })));
  const other = await new RawClient().shakeHands(world.server.port);
  await world.expectRefused(other.post('/sendMessage', world.message({ messageId })), 'ERR_DUPLICATE_MESSAGE', other);
  await world.expectRefused(
    world.sendMessage(world.message({ messageId, messageBox: 'many' })),
    'ERR_DUPLICATE_MESSAGE',
  );
});

/** y² = x³ + 7 over the field of secp256k1. */
function uncompressed(key: string): string {
  const p = 2n ** 256n - 2n ** 32n - 977n;
  const power = (base: bigint, exponent: bigint): bigint => {
    let result = 1n;
    for (let b = base, e = exponent; e > 0n; e >>= 1n, b = (b * b) % p) if (e & 1n) result = (result * b) % p;
    return result;
  };
  const x = BigInt(`0x${key.slice(2)}`);
  const root = power((x ** 3n + 7n) % p, (p + 1n) / 4n);
  const isOdd = key.startsWith('03');
  const y = (root & 1n) === (isOdd ? 1n : 0n) ? root : p - root;
  return `04${key.slice(2)}${y.toString(16).padStart(64, '0')}`;
}
