import { RawClient, type Session, type WireRequest } from './raw-client.ts';
import { documentedErrors, World } from './refusals.ts';
import { linesSince } from './server.ts';

let world: World;
let admin: Session;
beforeAll(async () => {
  const operator = new RawClient();
  world = await World.start({ ADMIN_IDENTITY_KEYS: operator.identityKey });
  admin = await operator.shakeHands(world.server.port);
  const recipientFee = 5;
  await world.taken(world.recipient.post('/permissions/set', { messageBox: 'priced', recipientFee }), world.recipient);
});
afterAll(() => world.close());

const LONE = '\ud800';
const huge = 'h'.repeat(70_000);
/** JSON for a value that JSON.stringify can't write. */
const raw = (json: string) => ({ json });
const jsonOf = (value: unknown): string =>
  typeof value === 'object' && value !== null && 'json' in value ? String(value.json) : JSON.stringify(value);
const label = (value: unknown) => (value === undefined ? 'left out' : jsonOf(value).slice(0, 60));
const table = (values: readonly unknown[], code: string): [string, unknown, string][] =>
  values.map((value) => [label(value), value, code]);

/** An object's JSON with one field that may be no JSON value; undefined leaves it out. */
function withField(template: Record<string, unknown>, field: string, value: unknown): string {
  const fields = Object.entries({ ...template, [field]: value }).filter(([, one]) => one !== undefined);
  return `{${fields.map(([name, one]) => `${JSON.stringify(name)}:${jsonOf(one)}`).join(',')}}`;
}

const notFees: readonly unknown[] = [
  0.5,
  10.000001,
  -2,
  -1.5,
  raw('-1e999'),
  raw('1e999'),
  2_147_483_648,
  raw('9007199254740991'),
  raw('9007199254740993'),
  raw('1e300'),
  raw('-9007199254740992'),
];
/** These are no numbers, so that the request is not one. */
const noNumbers: readonly unknown[] = ['10', '', 'NaN', '-1', true, false, [], [10], {}, huge];
const notBoxes: readonly unknown[] = [
  '',
  ' ',
  '\n',
  'x'.repeat(256),
  'in\0box',
  LONE,
  7,
  true,
  [],
  ['inbox'],
  {},
  huge,
];
const offCurve = `02${'ff'.repeat(32)}`;
const notKeys: readonly unknown[] = [
  '',
  ' ',
  'self',
  'anyone',
  '02',
  offCurve,
  `02${'00'.repeat(32)}`,
  `04${'11'.repeat(64)}`,
  `05${'11'.repeat(32)}`,
  'zz'.repeat(33),
];
const strangeKeys: readonly unknown[] = [...notKeys, LONE, 7, true, false, [], {}, [offCurve], huge];
const valid = () => ({ messageBox: 'inbox', sender: world.sender.client.identityKey, recipientFee: 3 });

describe('POST /permissions/set', () => {
  const refused = (body: string, code: string) =>
    world.refused(world.recipient.post('/permissions/set', body), code, world.recipient);

  test.each(['null', '7', '"inbox"', '[]', '[{}]', '{}', '{"__proto__":{"messageBox":"inbox","recipientFee":1}}'])(
    'a body like %s',
    async (body) => {
      await refused(body, 'ERR_INVALID_REQUEST');
    },
  );

  test.each([
    '',
    '{',
    'NaN',
    '{"messageBox":"inbox","recipientFee":NaN}',
    '{"messageBox":"inbox","recipientFee":0x10}',
  ])('a body that is no JSON: %s', async (body) => {
    await refused(body, 'ERR_INVALID_JSON');
  });

  test.each([
    ...table([undefined, null, ...noNumbers], 'ERR_INVALID_REQUEST'),
    ...table(notFees, 'ERR_INVALID_FEE_VALUE'),
  ])('recipientFee: %s', async (_label, value, code) => {
    await refused(withField(valid(), 'recipientFee', value), code);
    await refused(withField({ ...valid(), recipientFee: undefined }, 'recipient_fee', value), code);
  });

  test.each([...table([undefined, null], 'ERR_INVALID_REQUEST'), ...table(notBoxes, 'ERR_INVALID_MESSAGE_BOX')])(
    'messageBox: %s',
    async (_label, value, code) => {
      await refused(withField(valid(), 'messageBox', value), code);
      await refused(withField({ ...valid(), messageBox: undefined }, 'message_box', value), code);
    },
  );

  test.each(table(strangeKeys, 'ERR_INVALID_PUBLIC_KEY'))('sender: %s', async (_label, value, code) => {
    await refused(withField(valid(), 'sender', value), code);
  });

  test('a recipient in it counts for nothing: nobody sets what is another’s', async () => {
    const recipient = world.recipient.client.identityKey;
    await world.taken(world.sender.post('/permissions/set', { messageBox: 'theirs', recipientFee: -1, recipient }));
    await world.taken(world.sendMessage(world.message({ messageBox: 'theirs' })));
  });

  test.each([raw('-0'), raw('0.0'), raw('1e1'), raw('2147483647'), raw('2.147483647e9')])(
    'a whole number, however it is written: %j',
    async (fee) => {
      const body = withField({ messageBox: 'written', recipientFee: 0 }, 'recipientFee', fee);
      await world.taken(world.recipient.post('/permissions/set', body), world.recipient);
    },
  );
});

describe.each(['get', 'list', 'quote'])('GET /permissions/%s', (route) => {
  const ask = (query: string): WireRequest =>
    world.sender.sign({ method: 'GET', path: `/permissions/${route}${query}` });

  test.each(['?messageBox=%ff', '?messageBox=%', '?%c3%28=1', '?messageBox=%ed%a0%80', '?messageBox=%zz', '?a=%c0%80'])(
    'with %s',
    async (query) => {
      await world.refused(ask(query), 'ERR_INVALID_REQUEST');
    },
  );

  test('a query that is not the one signed', async () => {
    const request = ask('?messageBox=inbox');
    const other = request.path.replace('inbox', 'other');
    await world.refused({ ...request, path: other }, 'ERR_AUTH_FAILED');
  });

  test('with more parameters than anybody needs', async () => {
    await world.refused(ask(`?${'a=1&'.repeat(20_000)}messageBox=%ff`), 'ERR_INVALID_REQUEST');
  });
});

describe('GET /permissions/get', () => {
  const refused = (query: string, code: string) =>
    world.refused(world.sender.sign({ method: 'GET', path: `/permissions/get${query}` }), code);

  test.each(['', '?', '?sender=', '?box=inbox', `?sender=02${'11'.repeat(32)}`, '?__proto__=inbox'])(
    'without a box: %s',
    async (query) => {
      await refused(query, 'ERR_MISSING_PARAMETERS');
    },
  );

  test.each(['', '%20', 'x'.repeat(256), 'a%00b', 'a&messageBox=b', 'a&messageBox=a'])('a box of %s', async (box) => {
    await refused(`?messageBox=${box}`, 'ERR_INVALID_MESSAGE_BOX');
    if (!box.includes('&')) await refused(`?message_box=${box}`, 'ERR_INVALID_MESSAGE_BOX');
  });

  test.each([...notKeys, `${offCurve}&sender=${offCurve}`])('a sender of %s', async (sender) => {
    await refused(`?messageBox=inbox&sender=${String(sender).replaceAll(' ', '+')}`, 'ERR_INVALID_PUBLIC_KEY');
  });
});

describe('GET /permissions/list', () => {
  const refused = (query: string, code: string) =>
    world.refused(world.sender.sign({ method: 'GET', path: `/permissions/list?${query}` }), code);
  const notNumbers = [
    '',
    '-1',
    '1.5',
    '1e2',
    '0x1',
    'NaN',
    '%205',
    '5%20',
    '+5',
    '%D9%A1',
    '9'.repeat(16),
    '9'.repeat(400),
  ];

  test.each([...notNumbers, '0', '1001', '5&limit=5'])('limit: %s', async (limit) => {
    await refused(`limit=${limit}`, 'ERR_INVALID_LIMIT');
  });

  test.each([...notNumbers, '9007199254740992', '5&offset=5'])('offset: %s', async (offset) => {
    await refused(`offset=${offset}`, 'ERR_INVALID_OFFSET');
  });

  test.each(['', 'ASC', 'up', 'asc;DROP TABLE messages', 'asc&createdAtOrder=asc'])('order: %s', async (order) => {
    await refused(`createdAtOrder=${encodeURI(order)}`, 'ERR_INVALID_ORDER');
  });

  test.each(['', '%20', 'x'.repeat(256), 'a%00b', 'a&messageBox=b'])('a box of %s', async (box) => {
    await refused(`messageBox=${box}`, 'ERR_INVALID_MESSAGE_BOX');
  });

  test.each(['limit=1', 'limit=1000', 'offset=0', 'offset=9007199254740991', 'createdAtOrder=asc', 'unknown=1'])(
    '%s is taken',
    async (query) => {
      const answer = await world.taken(world.sender.sign({ method: 'GET', path: `/permissions/list?${query}` }));
      expect(answer).toMatchObject({ status: 'success' });
    },
  );
});

describe('GET /permissions/quote', () => {
  const quote = (query: string): WireRequest =>
    world.sender.sign({ method: 'GET', path: `/permissions/quote?${query}` });
  const key = () => world.recipient.client.identityKey;
  const recipients = (count: number) => `recipient=${key()}&`.repeat(count);

  test.each(['', 'messageBox=inbox', 'messageBox=inbox&recipients=02', '__proto__=1&messageBox=inbox'])(
    'for nobody: %s',
    async (query) => {
      await world.refused(quote(query), 'ERR_MISSING_PARAMETERS');
    },
  );

  test('for no box', async () => {
    await world.refused(quote(recipients(1)), 'ERR_MISSING_PARAMETERS');
  });

  test.each(notKeys)('for %s, alone or beside another', async (given) => {
    const bad = `recipient=${String(given).replaceAll(' ', '+')}`;
    await world.refused(quote(`${bad}&messageBox=inbox`), 'ERR_INVALID_PUBLIC_KEY');
    await world.refused(quote(`${recipients(1)}${bad}&messageBox=inbox`), 'ERR_INVALID_PUBLIC_KEY');
  });

  test.each(['', '%20', 'x'.repeat(256), 'a%00b', 'a&messageBox=b'])('a box of %s', async (box) => {
    await world.refused(quote(`${recipients(1)}messageBox=${box}`), 'ERR_INVALID_MESSAGE_BOX');
    await world.refused(quote(`${recipients(2)}messageBox=${box}`), 'ERR_INVALID_MESSAGE_BOX');
  });

  test('1 and 100 recipients are quoted, 101 and 100,000 are not', async () => {
    const one = await world.taken(quote(`${recipients(1)}messageBox=priced`));
    expect(one['quote']).toEqual({ deliveryFee: 0, recipientFee: 5 });
    const many = await world.taken(quote(`${recipients(100)}messageBox=priced`));
    expect(many['quotesByRecipient']).toHaveLength(100);
    await world.refused(quote(`${recipients(101)}messageBox=priced`), 'ERR_TOO_MANY_RECIPIENTS');
    expect((await world.refused(quote(`${recipients(100_000)}messageBox=priced`), 'ERR_BAD_REQUEST')).status).toBe(431);
  });
});

describe('sends that cost or are blocked', () => {
  test.each([
    ['a fee of the recipient', 'priced'],
    ['a fee of the server', 'notifications'],
  ])('%s', async (_name, messageBox) => {
    await world.refused(world.sendMessage(world.message({ messageBox })), 'ERR_MISSING_PAYMENT_TX');
  });

  test('a block: the answer names who it was, the log does not', async () => {
    const permission = { messageBox: 'blocked', sender: world.sender.client.identityKey, recipientFee: -1 };
    await world.taken(world.recipient.post('/permissions/set', permission), world.recipient);
    const [mark, rows] = [world.server.log.length, await world.server.rows()];
    const request = world.sendMessage(world.message({ messageBox: 'blocked' }));
    const answer = await world.send(request);
    expect(world.sender.isSigned(request, answer)).toBe(true);
    expect({ status: answer.status, ...(JSON.parse(answer.text) as object) }).toEqual({
      status: 'error',
      code: 'ERR_DELIVERY_BLOCKED',
      description: expect.stringMatching(/\w/),
      blockedRecipients: [world.recipient.client.identityKey],
    });
    expect(documentedErrors.get('ERR_DELIVERY_BLOCKED')).toEqual([answer.status]);
    expect(await world.server.rows()).toEqual(rows);
    world.expectOneLine(mark, 'ERR_DELIVERY_BLOCKED', request);
    expect(JSON.stringify(linesSince(world.server, mark))).not.toContain(world.recipient.client.identityKey);
  });
});

describe('/admin/fees', () => {
  const put = (by: Session, body: string): WireRequest =>
    by.sign({
      method: 'PUT',
      path: '/admin/fees',
      headers: [['Content-Type', 'application/json']],
      body: Buffer.from(body),
    });
  const fee = { messageBox: 'a box', deliveryFee: 1 };

  test('for who is not the operator', async () => {
    await world.refused(world.sender.sign({ method: 'GET', path: '/admin/fees' }), 'ERR_NOT_ADMIN');
    await world.refused(put(world.sender, JSON.stringify(fee)), 'ERR_NOT_ADMIN');
    await world.refused(put(world.sender, '{'), 'ERR_NOT_ADMIN');
  });

  test('for nobody at all', async () => {
    await world.refused({ method: 'GET', path: '/admin/fees', headers: [] }, 'UNAUTHORIZED');
  });

  test.each(['POST', 'DELETE', 'PATCH'])('by %s', async (method) => {
    await world.refused(admin.sign({ method, path: '/admin/fees' }), 'ERR_NOT_FOUND', admin);
  });

  test.each([
    ['{', 'ERR_INVALID_JSON'],
    ['null', 'ERR_INVALID_REQUEST'],
    ['[]', 'ERR_INVALID_REQUEST'],
    ['{}', 'ERR_INVALID_REQUEST'],
    ['{"__proto__":{"messageBox":"a","deliveryFee":1}}', 'ERR_INVALID_REQUEST'],
  ])('a body like %s', async (body, code) => {
    await world.refused(put(admin, body), code, admin);
  });

  test.each([
    ...table([undefined, null, ...noNumbers], 'ERR_INVALID_REQUEST'),
    ...table([-1, ...notFees], 'ERR_INVALID_FEE_VALUE'),
  ])('deliveryFee: %s', async (_label, value, code) => {
    await world.refused(put(admin, withField(fee, 'deliveryFee', value)), code, admin);
  });

  test.each([...table([undefined, null], 'ERR_INVALID_REQUEST'), ...table(notBoxes, 'ERR_INVALID_MESSAGE_BOX')])(
    'messageBox: %s',
    async (_label, value, code) => {
      await world.refused(put(admin, withField(fee, 'messageBox', value)), code, admin);
    },
  );

  test('without ADMIN_IDENTITY_KEYS nobody is the operator', async () => {
    const other = await World.start();
    try {
      await other.refused(other.sender.sign({ method: 'GET', path: '/admin/fees' }), 'ERR_NOT_ADMIN');
    } finally {
      await other.close();
    }
  });
});
