import { RawClient, type Session, type WireRequest } from './raw-client.ts';
import { type Listed, SECRET, uniqueId, World } from './refusals.ts';

let world: World;
beforeAll(async () => {
  world = await World.start();
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
  ])('a body that is %s', async (_name, body) => {
    await world.refused(world.sendMessage(body), 'ERR_MESSAGE_REQUIRED');
    expect({}).not.toHaveProperty('message');
  });

  test.each(table([undefined, null, 0, 7, '', 'text', true, [], [{}], huge, raw(deepArray)]))(
    'message: %s',
    async (_label, value) => {
      await world.refused(world.sendMessage(withField({}, 'message', value)), 'ERR_MESSAGE_REQUIRED');
    },
  );

  test('fields of a prototype are no fields', async () => {
    const fields = JSON.stringify(world.message().message);
    await world.refused(world.sendMessage(`{"message":{"__proto__":${fields}}}`), 'ERR_INVALID_MESSAGEBOX');
    await world.refused(
      world.sendMessage(`{"message":{"constructor":{"prototype":${fields}}}}`),
      'ERR_INVALID_MESSAGEBOX',
    );
  });

  const field = async (name: string, value: Value, code: string) => {
    const message = withField(world.message().message, name, value);
    await world.refused(world.sendMessage(`{"message":${message}}`), code);
  };

  test.each(table([undefined, null, '', [], ['inbox'], 'x'.repeat(256), ...notNames]))(
    'messageBox: %s',
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
  )('body: %s', async (_label, value) => {
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
  ])('recipient: %s', async (_label, value, code) => {
    await field('recipient', value, code);
  });

  test.each([
    ...table([null, 7, '', 'self', {}, true, huge, []], 'ERR_RECIPIENT_REQUIRED'),
    ...table([[null], ['']], 'ERR_RECIPIENT_REQUIRED'),
    ...table([[7], ['self'], [[]], [{}]], 'ERR_INVALID_RECIPIENT_KEY'),
  ])('recipients alone: %s', async (_label, value, code) => {
    const { recipient: _left, ...message } = world.message().message;
    await world.refused(world.sendMessage(`{"message":${withField(message, 'recipients', value)}}`), code);
  });

  test.each([
    ...table([undefined, null, []], 'ERR_MESSAGEID_REQUIRED'),
    ...table(['', ...notNames], 'ERR_INVALID_MESSAGEID'),
    ...table([[''], [' '], [null], [7], [['id']], [{}], ['x'.repeat(257)], [LONE]], 'ERR_INVALID_MESSAGEID'),
    ...table([['a', 'b'], Array<string>(1_000).fill('a')], 'ERR_MESSAGEID_COUNT_MISMATCH'),
  ])('messageId: %s', async (_label, value, code) => {
    await field('messageId', value, code);
  });

  // More in payments.test.ts.
  test.each([
    ...table([{}, [], 0, false, '', 'money', huge], 'ERR_MISSING_PAYMENT_TX'),
    ...table([{ tx: [] }, { tx: 'money' }], 'ERR_INVALID_PAYMENT'),
  ])('payment: %s', async (_label, value, code) => {
    const request = withField(world.message(), 'payment', value);
    await world.refused(world.sendMessage(request), code);
  });

  test('one bad recipient among good ones refuses all', async () => {
    const { recipient } = world.message().message;
    const bad = [recipient, new RawClient().identityKey, 'self'];
    const ids = bad.map(() => uniqueId());
    await world.refused(
      world.sendMessage(world.message({ recipient: bad, messageId: ids })),
      'ERR_INVALID_RECIPIENT_KEY',
    );
  });

  test('one bad id among good ones refuses all', async () => {
    const recipient = [world.recipient.client.identityKey, new RawClient().identityKey];
    await world.refused(
      world.sendMessage(world.message({ recipient, messageId: [uniqueId(), 'x'.repeat(257)] })),
      'ERR_INVALID_MESSAGEID',
    );
  });

  test('a megabyte to 65 recipients at once', async () => {
    const recipient = Array.from({ length: 65 }, () => world.recipient.client.identityKey);
    const messageId = recipient.map(() => uniqueId());
    const body = 'x'.repeat(2 ** 20);
    await world.refused(world.sendMessage(world.message({ recipient, messageId, body })), 'ERR_MESSAGE_TOO_LARGE');
  });

  test('100 recipients are taken, 101 are not, and the refusal says what to do', async () => {
    const recipient = Array.from({ length: 101 }, () => world.recipient.client.identityKey);
    const messageId = recipient.map((_key, i) => `many ${i}`);
    const request = world.sendMessage(world.message({ recipient, messageId }));
    const { text } = await world.refused(request, 'ERR_TOO_MANY_RECIPIENTS');
    expect(text).toMatch(/at most 100 .* in portions/);
    await world.taken(
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
    await world.refused(world.recipient.post('/listMessages', body), code, world.recipient);
  };

  test.each(
    ['null', '7', '"inbox"', '[]', '["inbox"]', '{}', deepArray, '{"__proto__":{"messageBox":"inbox"}}'].map((body) => [
      body.slice(0, 40),
      body,
    ]),
  )('a body like %s', async (_label, body) => {
    await world.refused(world.recipient.post('/listMessages', body), 'ERR_MESSAGEBOX_REQUIRED', world.recipient);
  });

  test.each([
    ...table([undefined, null, ''], 'ERR_MESSAGEBOX_REQUIRED'),
    ...table([[], ['inbox'], 'x'.repeat(256), ...notNames], 'ERR_INVALID_MESSAGEBOX'),
  ])('messageBox: %s', async (_label, value, code) => {
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
  )('limit: %s', async (_label, value) => {
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
  )('after: %s', async (_label, value) => {
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
  )('offset, or skip: %s', async (_label, value) => {
    await ask(value, 'offset', 'ERR_INVALID_OFFSET');
    await ask(value, 'skip', 'ERR_INVALID_OFFSET');
  });

  test.each(table([null, 0, -1, 1.5, 1_001, 10_000, raw('1e999'), '', '5', true, [], [5], {}]))(
    'limit beside an offset: %s',
    async (_label, value) => {
      const body = withField({ messageBox: 'inbox', offset: 0 }, 'limit', value);
      await world.refused(world.recipient.post('/listMessages', body), 'ERR_INVALID_LIMIT', world.recipient);
    },
  );

  test('an offset that says something else than skip, or comes with a cursor', async () => {
    const refused = (paging: object, code: string) =>
      world.refused(world.recipient.post('/listMessages', { messageBox: 'inbox', ...paging }), code, world.recipient);
    await refused({ offset: 1, skip: 2 }, 'ERR_INVALID_OFFSET');
    await refused({ offset: 1, after: '5' }, 'ERR_INVALID_AFTER');
  });

  test.each(table([null, '', [], ['id'], ...notNames]))('messageId: %s', async (_label, value) => {
    await ask(value, 'messageId', 'ERR_INVALID_MESSAGEID');
    const body = withField({ messageBox: 'inbox', offset: 0 }, 'messageId', value);
    await world.refused(world.recipient.post('/listMessages', body), 'ERR_INVALID_MESSAGEID', world.recipient);
  });

  test('the id of another’s message, or of another box, finds nothing', async () => {
    const messageId = uniqueId();
    await world.taken(world.sendMessage(world.message({ messageId, messageBox: 'theirs' })));
    const find = async (by: Session, messageBox: string, paging: object) => {
      const request = by.post('/listMessages', { messageBox, messageId, ...paging });
      return (await world.taken(request, by))['messages'] as Listed[];
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

  test('the largest offset and limit are taken, and an offset behind everything is no mistake', async () => {
    const body = { messageBox: 'inbox', limit: 1_000, offset: 100_000, skip: 100_000 };
    expect(await world.taken(world.recipient.post('/listMessages', body), world.recipient)).toEqual({
      status: 'success',
      messages: [],
      limit: 1_000,
      offset: 100_000,
      nextOffset: null,
      hasMore: false,
    });
  });

  test('the largest of both is taken', async () => {
    const body = { messageBox: 'inbox', limit: 10_000, after: '9'.repeat(18) };
    expect(await world.taken(world.recipient.post('/listMessages', body), world.recipient)).toEqual({
      status: 'success',
      messages: [],
    });
  });
});

describe('POST /acknowledgeMessage', () => {
  const ask = async (body: string, code: string) => {
    await world.taken(world.sendMessage());
    return world.refused(world.recipient.post('/acknowledgeMessage', body), code, world.recipient);
  };

  test('1,001 ids, of which one is there, are refused, and the refusal says what to do; 1,000 are taken', async () => {
    const { message } = world.message();
    await world.taken(world.sendMessage({ message }));
    const ids = [message['messageId'], ...Array.from({ length: 1_000 }, (_, n) => `unknown ${n}`)];
    const { text } = await ask(JSON.stringify({ messageIds: ids }), 'ERR_TOO_MANY_MESSAGE_IDS');
    expect(text).toMatch(/At most 1000 .* in portions/);
    const messageIds = ids.slice(0, 1_000);
    await world.taken(world.recipient.post('/acknowledgeMessage', { messageIds }), world.recipient);
  });

  test.each(
    ['null', '7', '"id"', '[]', '["id"]', '{}', deepObject, '{"__proto__":{"messageIds":["id"]}}'].map((body) => [
      body.slice(0, 40),
      body,
    ]),
  )('a body like %s', async (_label, body) => {
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
  ])('messageIds: %s', async (_label, value, code) => {
    await ask(withField({}, 'messageIds', value), code);
  });

  test('a valid id beside an invalid one deletes nothing', async () => {
    const messageId = uniqueId();
    await world.taken(world.sendMessage(world.message({ messageId })));
    await ask(JSON.stringify({ messageIds: [messageId, 'x'.repeat(257)] }), 'ERR_INVALID_MESSAGE_ID');
    await ask(JSON.stringify({ messageIds: [`${messageId} `, messageId.toUpperCase()] }), 'ERR_INVALID_ACKNOWLEDGMENT');
  });

  test('ids like patterns are nothing but ids', async () => {
    await ask(JSON.stringify({ messageIds: ['%', '_', "' OR 1=1 --", '"', '\\', '*'] }), 'ERR_INVALID_ACKNOWLEDGMENT');
  });

  test('a body full of ids is answered in good time', async () => {
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
      await world.refused(world.sender.post(path, body), 'ERR_INVALID_JSON');
    });
  });

  test('one byte order mark is skipped, as by other servers; the bytes are signed all the same', async () => {
    const messageId = uniqueId();
    await world.taken(world.sendMessage(`\ufeff${JSON.stringify(world.message({ messageId }))}`));
    expect(await world.list()).toContainEqual(expect.objectContaining({ messageId, body: SECRET }));
  });
});

describe('unusual, and valid', () => {
  const sent = async (fields: Record<string, unknown>): Promise<Listed | undefined> => {
    const messageId = uniqueId();
    await world.taken(world.sendMessage(world.message({ messageId, ...fields })));
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
  ])('a name of %s is taken as it is, for ids and boxes', async (_name, name) => {
    expect(await sent({ messageBox: name, messageId: name })).toMatchObject({ messageId: name, body: SECRET });
    await world.taken(world.recipient.post('/acknowledgeMessage', { messageIds: [name] }), world.recipient);
    expect(await world.list(name)).toEqual([]);
  });

  test.each([
    ['256 letters', 'n'.repeat(256)],
    ['256 bytes in characters of two', 'ü'.repeat(128)],
    ['1,020 bytes in 255 code points', astral(255)],
  ])('an id of %s is taken, found by itself and acknowledged', async (_name, messageId) => {
    expect(await sent({ messageId, messageBox: 'long ids' })).toMatchObject({ messageId });
    const request = world.recipient.post('/listMessages', { messageBox: 'long ids', offset: 0, messageId });
    expect(await world.taken(request, world.recipient)).toMatchObject({ messages: [{ messageId }] });
    const messageIds = [messageId];
    await world.taken(world.recipient.post('/acknowledgeMessage', { messageIds }), world.recipient);
    expect(await world.list('long ids')).toEqual([]);
  });

  test('names that differ in case, accent, normal form, width or white space stay apart', async () => {
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
    await world.taken(world.recipient.post('/acknowledgeMessage', { messageIds: ['name'] }), world.recipient);
    expect((await world.list('apart')).map(({ messageId }) => messageId)).toEqual(names.slice(1));
  });

  test('ids of 256 characters that agree in all but the last stay apart', async () => {
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

  test('upper case and uncompressed reach the same identity, and nobody else', async () => {
    const key = reader.client.identityKey;
    const spellings = [key, key.toUpperCase(), uncompressed(key), uncompressed(key).toUpperCase()];
    for (const recipient of spellings) {
      const messageId = uniqueId();
      const answer = await world.taken(world.sendMessage(world.message({ recipient, messageId })));
      expect(answer).toMatchObject({ results: [{ recipient: key, messageId }] });
    }
    expect(await world.list('inbox', reader)).toHaveLength(spellings.length);
  });

  test('the same id to two spellings of one key is one message', async () => {
    const key = reader.client.identityKey;
    const messageId = uniqueId();
    const recipient = [key, key.toUpperCase(), uncompressed(key)];
    const request = world.message({ recipient, messageId: recipient.map(() => messageId) });
    await world.taken(world.sendMessage(request));
    expect(await world.list('inbox', reader)).toHaveLength(1);
  });

  test('one recipient twice with two ids gets two messages', async () => {
    const key = reader.client.identityKey;
    await world.taken(world.sendMessage(world.message({ recipient: [key, key], messageId: [uniqueId(), uniqueId()] })));
    expect(await world.list('inbox', reader)).toHaveLength(2);
  });

  test('hybrid encodings of a valid point are refused', async () => {
    const point = uncompressed(reader.client.identityKey).slice(2);
    for (const prefix of ['06', '07']) {
      const request: WireRequest = world.sendMessage(world.message({ recipient: prefix + point }));
      await world.refused(request, 'ERR_INVALID_RECIPIENT_KEY');
    }
  });

  test('an uncompressed key whose y belongs to the other point is refused', async () => {
    const other = uncompressed(new RawClient().identityKey).slice(66);
    const recipient = uncompressed(reader.client.identityKey).slice(0, 66) + other;
    await world.refused(world.sendMessage(world.message({ recipient })), 'ERR_INVALID_RECIPIENT_KEY');
  });
});

test('the same id from another sender, or into another box, is refused and changes nothing', async () => {
  const messageId = uniqueId();
  await world.taken(world.sendMessage(world.message({ messageId })));
  const other = await new RawClient().shakeHands(world.server.port);
  await world.refused(other.post('/sendMessage', world.message({ messageId })), 'ERR_DUPLICATE_MESSAGE', other);
  await world.refused(world.sendMessage(world.message({ messageId, messageBox: 'many' })), 'ERR_DUPLICATE_MESSAGE');
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
