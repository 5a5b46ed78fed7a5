import { RawClient, type Session } from '@messagebox/test-support/raw-client';
import { HttpTestBed, SECRET } from './refusals.ts';
import { readLinesSince } from './server.ts';

let world: HttpTestBed;
beforeAll(async () => {
  world = await HttpTestBed.start();
});
afterAll(() => world.close());

const LONE = '\ud800';
const megabyte = 't'.repeat(1_000_000);
const deepArray = '['.repeat(128) + ']'.repeat(128);
const label = (value: unknown) => (JSON.stringify(value) ?? 'left out').slice(0, 60);
const table = (values: readonly unknown[]): [string, unknown][] => values.map((value) => [label(value), value]);

const register = (body: object | string, by: Session = world.sender) => by.post('/registerDevice', body);
const device = (fields: Record<string, unknown> = {}) => ({
  fcmToken: `${SECRET}:token`,
  deviceId: SECRET,
  platform: 'ios',
  ...fields,
});
const list = async (by: Session = world.sender) => {
  const { devices } = await world.expectAccepted(by.sign({ method: 'GET', path: '/devices' }), by);
  return devices as Record<string, unknown>[];
};

const BODIES: [string, string][] = [
  ['null', 'null'],
  ['a number', '7'],
  ['a text', '"token"'],
  ['an array', '[]'],
  ['an array of a token', '["token"]'],
  ['an empty object', '{}'],
  ['deep arrays', deepArray],
  ['a prototype', `{"__proto__":{"fcmToken":"${SECRET}"}}`],
];
const notTokens: readonly unknown[] = [
  undefined,
  null,
  '',
  '  \n',
  0,
  7,
  true,
  [],
  ['token'],
  {},
  { toString: 'token' },
  'two words',
  'tok\0en',
  'tökén',
  '\u{1f600}',
  LONE,
  't'.repeat(2_001),
  megabyte,
];

describe('POST /registerDevice', () => {
  const refused = async (body: object | string, code: string) => {
    await world.expectRefused(register(body), code);
    expect(await list()).toEqual([]);
  };

  test.each(BODIES)('refuses a body that is %s', async (_name, body) => {
    await refused(body, 'ERR_INVALID_FCM_TOKEN');
  });

  test('refuses a body that is not JSON', async () => {
    await refused('{"fcmToken":', 'ERR_INVALID_JSON');
  });

  test.each(table(notTokens))('refuses the fcmToken %s', async (_label, value) => {
    await refused(device({ fcmToken: value }), 'ERR_INVALID_FCM_TOKEN');
  });

  test.each(table([0, 7, true, [], ['ios'], {}, '', ' ios', 'IOS', 'windows', LONE, megabyte]))(
    'refuses the platform %s',
    async (_label, value) => {
      await refused(device({ platform: value }), 'ERR_INVALID_PLATFORM');
    },
  );

  test.each(table([0, 7, true, [], ['phone'], {}, '  ', 'a\0b', LONE, 'x'.repeat(256), megabyte]))(
    'refuses the deviceId %s',
    async (_label, value) => {
      await refused(device({ deviceId: value }), 'ERR_INVALID_DEVICE_ID');
    },
  );

  test('the error names the first wrong field', async () => {
    await refused({ fcmToken: '', deviceId: 7, platform: 7 }, 'ERR_INVALID_FCM_TOKEN');
    await refused(device({ deviceId: 7, platform: 7 }), 'ERR_INVALID_DEVICE_ID');
  });

  test('refuses a request without a session', async () => {
    const request = register(device());
    await world.expectRefused({ ...request, headers: [['Content-Type', 'application/json']] }, 'UNAUTHORIZED');
    expect(await list()).toEqual([]);
  });

  test.each<[string, Record<string, unknown>, Record<string, unknown>]>([
    ['nothing but a token', { fcmToken: 'a' }, { deviceId: null, platform: null, fcmToken: '...a' }],
    ['null for what is not known', device({ deviceId: null, platform: null }), { deviceId: null, platform: null }],
    ['an empty deviceId', device({ deviceId: '' }), { deviceId: null }],
    ['spaces around', device({ fcmToken: ' abc:def-123456789 ', deviceId: ' phone ' }), { fcmToken: '...-123456789' }],
    [
      'the longest that clients read',
      device({ fcmToken: 't'.repeat(2_000), deviceId: 'é'.repeat(127) }),
      { active: true, deviceId: 'é'.repeat(127) },
    ],
    // Clients would refuse the whole list for one of these.
    ['a longer name, which is not told', device({ deviceId: '\u{1f600}'.repeat(255) }), { deviceId: null }],
    [
      'a name with control characters, which is not told',
      device({ deviceId: 'my\u0007\u0085phone' }),
      { deviceId: null },
    ],
    ['fields that nobody knows', device({ identityKey: 'x', active: false, id: 7 }), { active: true }],
  ])('accepts %s', async (_name, body, listed) => {
    const owner = await new RawClient().shakeHands(world.server.port);
    const { deviceId, ...answer } = await world.expectAccepted(register(body, owner), owner);
    expect(answer).toEqual({ status: 'success', message: 'Device registered successfully for push notifications' });
    expect(await list(owner)).toMatchObject([{ id: deviceId, ...listed }]);
  });

  test('keeps the last 50 of 200 devices of one identity, and logs one line', async () => {
    const owner = await new RawClient().shakeHands(world.server.port);
    const device = (n: number) => register({ fcmToken: `many-${1_000_000 + n}` }, owner);
    for (let n = 0; n < 50; n++) await world.expectAccepted(device(n), owner);
    const mark = world.server.log.length;
    for (let n = 50; n < 200; n++) {
      const request = device(n);
      const answer = await world.send(request);
      expect({ status: answer.status, isSigned: owner.isSigned(request, answer) }).toEqual({
        status: 200,
        isSigned: true,
      });
    }
    expect(readLinesSince(world.server, mark)).toMatchObject([{ level: 30, msg: 'a limit was hit', limit: 'devices' }]);
    const tokens = (await list(owner)).map(({ fcmToken }) => fcmToken);
    expect(tokens.sort()).toEqual(Array.from({ length: 50 }, (_, n) => `...ny-${1_000_150 + n}`).sort());
  });
});

describe('a token of many identities', () => {
  const newcomers = (count: number) =>
    Promise.all(Array.from({ length: count }, () => new RawClient().shakeHands(world.server.port)));

  test('refuses the 21st, and keeps the others as they are', async () => {
    const owners = await newcomers(20);
    const [stranger] = (await newcomers(1)) as [Session];
    const shared = { fcmToken: 'a-shared-token', platform: 'ios' };
    for (const owner of owners) await world.expectAccepted(register(shared, owner), owner);
    const before = await Promise.all(owners.map((owner) => list(owner)));
    await world.expectRefused(register(shared, stranger), 'ERR_TOO_MANY_IDENTITIES', stranger);
    expect(await list(stranger)).toEqual([]);
    expect(await Promise.all(owners.map((owner) => list(owner)))).toEqual(before);
    // A profile that is there already may renew its registration, and one that leaves makes room.
    const [first, second] = owners as [Session, Session];
    await world.expectAccepted(register(shared, first), first);
    await world.expectAccepted(unregister(shared, second), second);
    await world.expectAccepted(register(shared, stranger), stranger);
  });
});

const unregister = (body: object | string, by: Session = world.sender) => by.post('/unregisterDevice', body);

describe('POST /unregisterDevice', () => {
  let owner: Session;
  let before: Record<string, unknown>[];
  beforeAll(async () => {
    owner = await new RawClient().shakeHands(world.server.port);
    await world.expectAccepted(register(device({ fcmToken: 'a-token' }), owner), owner);
    before = await list(owner);
  });
  const SUCCESS = { status: 'success', message: 'Device unregistered from push notifications' };

  test.each(BODIES)('refuses a body that is %s', async (_name, body) => {
    await world.expectRefused(unregister(body), 'ERR_INVALID_FCM_TOKEN');
  });

  test('refuses a body that is not JSON', async () => {
    await world.expectRefused(unregister('{"fcmToken":'), 'ERR_INVALID_JSON');
  });

  test.each(table(notTokens))('refuses the fcmToken %s', async (_label, fcmToken) => {
    await world.expectRefused(unregister({ fcmToken }), 'ERR_INVALID_FCM_TOKEN');
  });

  test('refuses a request without a session', async () => {
    const request = unregister({ fcmToken: 'a-token' }, owner);
    await world.expectRefused({ ...request, headers: [['Content-Type', 'application/json']] }, 'UNAUTHORIZED');
    expect(await list(owner)).toEqual(before);
  });

  test('refuses another method', async () => {
    await world.expectRefused(world.sender.sign({ method: 'GET', path: '/unregisterDevice' }), 'ERR_NOT_FOUND');
  });

  test.each([
    ['that nobody has', 'nobodys-token'],
    ['of another identity', 'a-token'],
    ['of the longest', 't'.repeat(2_000)],
  ])('answers a token %s like one of the caller, and changes nothing', async (_what, fcmToken) => {
    expect(await world.expectAccepted(unregister({ fcmToken }))).toEqual(SUCCESS);
    expect(await list(owner)).toEqual(before);
  });

  test('ends the registration of the caller, once and again', async () => {
    const other = await new RawClient().shakeHands(world.server.port);
    await world.expectAccepted(register({ fcmToken: 'a-token' }, other), other);
    await world.expectAccepted(register({ fcmToken: 'another-token' }, other), other);
    for (let i = 0; i < 2; i++) {
      const body = { fcmToken: ' a-token ', identityKey: owner.client.identityKey, deviceId: SECRET };
      expect(await world.expectAccepted(unregister(body, other), other)).toEqual(SUCCESS);
    }
    expect(await list(other)).toMatchObject([{ fcmToken: '...ther-token' }]);
    expect(await list(owner)).toEqual(before);
  });
});

describe('GET /devices', () => {
  const ask = (query: string, by: Session = world.sender) => by.sign({ method: 'GET', path: `/devices?${query}` });
  const notNumbers = ['', '-1', '1.5', '1e2', '0x1', 'NaN', '%205', '5%20', '+5', '%D9%A1', '9'.repeat(400)];

  test.each([...notNumbers, '0', '101', '5&limit=5'])('refuses the limit %s', async (limit) => {
    await world.expectRefused(ask(`limit=${limit}`), 'ERR_INVALID_LIMIT');
  });

  test.each([...notNumbers, '100001', '5&offset=5'])('refuses the offset %s', async (offset) => {
    await world.expectRefused(ask(`offset=${offset}`), 'ERR_INVALID_OFFSET');
  });

  test('refuses a query that is not UTF-8', async () => {
    await world.expectRefused(ask('limit=%ff'), 'ERR_INVALID_REQUEST');
  });

  test('pages state their range, and together contain all devices', async () => {
    const owner = await new RawClient().shakeHands(world.server.port);
    for (let n = 0; n < 5; n++)
      await world.expectAccepted(register({ fcmToken: `paged-${1_000_000 + n}` }, owner), owner);
    const all = (await list(owner)).map(({ fcmToken }) => fcmToken);
    expect(all).toHaveLength(5);
    const page = async (query: string) => {
      const { devices, ...rest } = await world.expectAccepted(ask(query, owner), owner);
      return [rest, (devices as { fcmToken: string }[]).map(({ fcmToken }) => fcmToken)];
    };
    const said = (limit: number, offset: number) => ({ status: 'success', limit, offset });
    expect(await page('')).toEqual([said(100, 0), all]);
    expect(await page('limit=2')).toEqual([said(2, 0), all.slice(0, 2)]);
    expect(await page('limit=2&offset=2')).toEqual([said(2, 2), all.slice(2, 4)]);
    expect(await page('limit=100&offset=4')).toEqual([said(100, 4), all.slice(4)]);
    expect(await page('offset=100000')).toEqual([said(100, 100_000), []]);
  });

  test('never shows a whole token, or a device of another identity', async () => {
    const [owner, other] = [
      await new RawClient().shakeHands(world.server.port),
      await new RawClient().shakeHands(world.server.port),
    ];
    await world.expectAccepted(register(device({ fcmToken: 'a-token-of-some-length' }), owner), owner);
    expect(JSON.stringify(await list(owner))).not.toContain('token-of');
    expect(await list(other)).toEqual([]);
  });

  test('refuses a request without a session', async () => {
    const { method, path } = world.sender.sign({ method: 'GET', path: '/devices' });
    await world.expectRefused({ method, path, headers: [] }, 'UNAUTHORIZED');
  });

  test('refuses another method', async () => {
    await world.expectRefused(world.sender.post('/devices', {}), 'ERR_NOT_FOUND');
  });
});
