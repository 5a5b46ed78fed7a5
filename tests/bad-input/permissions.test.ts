import { documentedErrors } from '@messagebox/test-support/documented-errors';
import { RawClient, type Session, type WireRequest } from '@messagebox/test-support/raw-client';
import { HttpTestBed } from './refusals.ts';
import { readLinesSince } from './server.ts';

let world: HttpTestBed;
let admin: Session;
beforeAll(async () => {
  const operator = new RawClient();
  world = await HttpTestBed.start({ ADMIN_IDENTITY_KEYS: operator.identityKey });
  admin = await operator.shakeHands(world.server.port);
  const recipientFee = 5;
  await world.expectAccepted(
    world.recipient.post('/permissions/set', { messageBox: 'priced', recipientFee }),
    world.recipient,
  );
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
/** Values that are not numbers. */
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
    world.expectRefused(world.recipient.post('/permissions/set', body), code, world.recipient);

  test.each(['null', '7', '"inbox"', '[]', '[{}]', '{}', '{"__proto__":{"messageBox":"inbox","recipientFee":1}}'])(
    'refuses a body like %s',
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
  ])('refuses a body that is not JSON: %s', async (body) => {
    await refused(body, 'ERR_INVALID_JSON');
  });

  test.each([
    ...table([undefined, null, ...noNumbers], 'ERR_INVALID_REQUEST'),
    ...table(notFees, 'ERR_INVALID_FEE_VALUE'),
  ])('refuses the recipientFee %s', async (_label, value, code) => {
    await refused(withField(valid(), 'recipientFee', value), code);
    await refused(withField({ ...valid(), recipientFee: undefined }, 'recipient_fee', value), code);
  });

  test.each([...table([undefined, null], 'ERR_INVALID_REQUEST'), ...table(notBoxes, 'ERR_INVALID_MESSAGE_BOX')])(
    'refuses the messageBox %s',
    async (_label, value, code) => {
      await refused(withField(valid(), 'messageBox', value), code);
      await refused(withField({ ...valid(), messageBox: undefined }, 'message_box', value), code);
    },
  );

  test.each(table(strangeKeys, 'ERR_INVALID_PUBLIC_KEY'))('refuses the sender %s', async (_label, value, code) => {
    await refused(withField(valid(), 'sender', value), code);
  });

  test('ignores a recipient, because only the owner sets a permission', async () => {
    const recipient = world.recipient.client.identityKey;
    await world.expectAccepted(
      world.sender.post('/permissions/set', { messageBox: 'theirs', recipientFee: -1, recipient }),
    );
    await world.expectAccepted(world.sendMessage(world.message({ messageBox: 'theirs' })));
  });

  test.each([raw('-0'), raw('0.0'), raw('1e1'), raw('2147483647'), raw('2.147483647e9')])(
    'accepts a whole number, however it is written: %j',
    async (fee) => {
      const body = withField({ messageBox: 'written', recipientFee: 0 }, 'recipientFee', fee);
      await world.expectAccepted(world.recipient.post('/permissions/set', body), world.recipient);
    },
  );
});

describe.each(['get', 'list', 'quote'])('GET /permissions/%s', (route) => {
  const ask = (query: string): WireRequest =>
    world.sender.sign({ method: 'GET', path: `/permissions/${route}${query}` });

  test.each(['?messageBox=%ff', '?messageBox=%', '?%c3%28=1', '?messageBox=%ed%a0%80', '?messageBox=%zz', '?a=%c0%80'])(
    'refuses %s',
    async (query) => {
      await world.expectRefused(ask(query), 'ERR_INVALID_REQUEST');
    },
  );

  test('refuses another query than the signed one', async () => {
    const request = ask('?messageBox=inbox');
    const other = request.path.replace('inbox', 'other');
    await world.expectRefused({ ...request, path: other }, 'ERR_AUTH_FAILED');
  });

  test('refuses too many parameters', async () => {
    await world.expectRefused(ask(`?${'a=1&'.repeat(20_000)}messageBox=%ff`), 'ERR_INVALID_REQUEST');
  });
});

describe('GET /permissions/get', () => {
  const refused = (query: string, code: string) =>
    world.expectRefused(world.sender.sign({ method: 'GET', path: `/permissions/get${query}` }), code);

  test.each(['', '?', '?sender=', '?box=inbox', `?sender=02${'11'.repeat(32)}`, '?__proto__=inbox'])(
    'refuses a query without a box: %s',
    async (query) => {
      await refused(query, 'ERR_MISSING_PARAMETERS');
    },
  );

  test.each(['', '%20', 'x'.repeat(256), 'a%00b', 'a&messageBox=b', 'a&messageBox=a'])(
    'refuses a box of %s',
    async (box) => {
      await refused(`?messageBox=${box}`, 'ERR_INVALID_MESSAGE_BOX');
      if (!box.includes('&')) await refused(`?message_box=${box}`, 'ERR_INVALID_MESSAGE_BOX');
    },
  );

  test.each([...notKeys, `${offCurve}&sender=${offCurve}`])('refuses a sender of %s', async (sender) => {
    await refused(`?messageBox=inbox&sender=${String(sender).replaceAll(' ', '+')}`, 'ERR_INVALID_PUBLIC_KEY');
  });
});

describe('GET /permissions/list', () => {
  const refused = (query: string, code: string) =>
    world.expectRefused(world.sender.sign({ method: 'GET', path: `/permissions/list?${query}` }), code);
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

  test.each([...notNumbers, '0', '1001', '5&limit=5'])('refuses the limit %s', async (limit) => {
    await refused(`limit=${limit}`, 'ERR_INVALID_LIMIT');
  });

  test.each([...notNumbers, '9007199254740992', '5&offset=5'])('refuses the offset %s', async (offset) => {
    await refused(`offset=${offset}`, 'ERR_INVALID_OFFSET');
  });

  test.each(['', 'ASC', 'up', 'asc;DROP TABLE messages', 'asc&createdAtOrder=asc'])(
    'refuses the order %s',
    async (order) => {
      await refused(`createdAtOrder=${encodeURI(order)}`, 'ERR_INVALID_ORDER');
    },
  );

  test.each(['', '%20', 'x'.repeat(256), 'a%00b', 'a&messageBox=b'])('refuses a box of %s', async (box) => {
    await refused(`messageBox=${box}`, 'ERR_INVALID_MESSAGE_BOX');
  });

  test.each(['limit=1', 'limit=1000', 'offset=0', 'offset=9007199254740991', 'createdAtOrder=asc', 'unknown=1'])(
    'accepts %s',
    async (query) => {
      const answer = await world.expectAccepted(
        world.sender.sign({ method: 'GET', path: `/permissions/list?${query}` }),
      );
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
    'refuses a quote without recipients: %s',
    async (query) => {
      await world.expectRefused(quote(query), 'ERR_MISSING_PARAMETERS');
    },
  );

  test('refuses a quote without a box', async () => {
    await world.expectRefused(quote(recipients(1)), 'ERR_MISSING_PARAMETERS');
  });

  test.each(notKeys)('refuses a quote for %s, alone or beside another', async (given) => {
    const bad = `recipient=${String(given).replaceAll(' ', '+')}`;
    await world.expectRefused(quote(`${bad}&messageBox=inbox`), 'ERR_INVALID_PUBLIC_KEY');
    await world.expectRefused(quote(`${recipients(1)}${bad}&messageBox=inbox`), 'ERR_INVALID_PUBLIC_KEY');
  });

  test.each(['', '%20', 'x'.repeat(256), 'a%00b', 'a&messageBox=b'])('refuses a box of %s', async (box) => {
    await world.expectRefused(quote(`${recipients(1)}messageBox=${box}`), 'ERR_INVALID_MESSAGE_BOX');
    await world.expectRefused(quote(`${recipients(2)}messageBox=${box}`), 'ERR_INVALID_MESSAGE_BOX');
  });

  test('quotes 1 and 100 recipients, and refuses 101 and 100,000', async () => {
    const one = await world.expectAccepted(quote(`${recipients(1)}messageBox=priced`));
    expect(one['quote']).toEqual({ deliveryFee: 0, recipientFee: 5 });
    const many = await world.expectAccepted(quote(`${recipients(100)}messageBox=priced`));
    expect(many['quotesByRecipient']).toHaveLength(100);
    await world.expectRefused(quote(`${recipients(101)}messageBox=priced`), 'ERR_TOO_MANY_RECIPIENTS');
    expect(
      (await world.expectRefused(quote(`${recipients(100_000)}messageBox=priced`), 'ERR_BAD_REQUEST')).status,
    ).toBe(431);
  });
});

describe('sends that cost or are blocked', () => {
  test.each([
    ['a fee of the recipient', 'priced'],
    ['a fee of the server', 'notifications'],
  ])('%s', async (_name, messageBox) => {
    await world.expectRefused(world.sendMessage(world.message({ messageBox })), 'ERR_MISSING_PAYMENT_TX');
  });

  test('a blocked send names the recipient in the answer, and not in the log', async () => {
    const permission = { messageBox: 'blocked', sender: world.sender.client.identityKey, recipientFee: -1 };
    await world.expectAccepted(world.recipient.post('/permissions/set', permission), world.recipient);
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
    expect(JSON.stringify(readLinesSince(world.server, mark))).not.toContain(world.recipient.client.identityKey);
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

  test('refuses identities that are not operators', async () => {
    await world.expectRefused(world.sender.sign({ method: 'GET', path: '/admin/fees' }), 'ERR_NOT_ADMIN');
    await world.expectRefused(put(world.sender, JSON.stringify(fee)), 'ERR_NOT_ADMIN');
    await world.expectRefused(put(world.sender, '{'), 'ERR_NOT_ADMIN');
  });

  test('refuses requests without authentication', async () => {
    await world.expectRefused({ method: 'GET', path: '/admin/fees', headers: [] }, 'UNAUTHORIZED');
  });

  test.each(['POST', 'DELETE', 'PATCH'])('refuses %s', async (method) => {
    await world.expectRefused(admin.sign({ method, path: '/admin/fees' }), 'ERR_NOT_FOUND', admin);
  });

  test.each([
    ['{', 'ERR_INVALID_JSON'],
    ['null', 'ERR_INVALID_REQUEST'],
    ['[]', 'ERR_INVALID_REQUEST'],
    ['{}', 'ERR_INVALID_REQUEST'],
    ['{"__proto__":{"messageBox":"a","deliveryFee":1}}', 'ERR_INVALID_REQUEST'],
  ])('refuses a body like %s', async (body, code) => {
    await world.expectRefused(put(admin, body), code, admin);
  });

  test.each([
    ...table([undefined, null, ...noNumbers], 'ERR_INVALID_REQUEST'),
    ...table([-1, ...notFees], 'ERR_INVALID_FEE_VALUE'),
  ])('refuses the deliveryFee %s', async (_label, value, code) => {
    await world.expectRefused(put(admin, withField(fee, 'deliveryFee', value)), code, admin);
  });

  test.each([...table([undefined, null], 'ERR_INVALID_REQUEST'), ...table(notBoxes, 'ERR_INVALID_MESSAGE_BOX')])(
    'refuses the messageBox %s',
    async (_label, value, code) => {
      await world.expectRefused(put(admin, withField(fee, 'messageBox', value)), code, admin);
    },
  );

  test('without ADMIN_IDENTITY_KEYS no identity is an operator', async () => {
    const other = await HttpTestBed.start();
    try {
      await other.expectRefused(other.sender.sign({ method: 'GET', path: '/admin/fees' }), 'ERR_NOT_ADMIN');
    } finally {
      await other.close();
    }
  });
});
