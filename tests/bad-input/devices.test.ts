import { RawClient, type Session } from './raw-client.ts';
import { SECRET, World } from './refusals.ts';
import { linesSince } from './server.ts';

let world: World;
beforeAll(async () => {
  world = await World.start();
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
  const { devices } = await world.taken(by.sign({ method: 'GET', path: '/devices' }), by);
  return devices as Record<string, unknown>[];
};

describe('POST /registerDevice', () => {
  const refused = async (body: object | string, code: string) => {
    await world.refused(register(body), code);
    expect(await list()).toEqual([]);
  };

  test.each([
    ['null', 'null'],
    ['a number', '7'],
    ['a text', '"token"'],
    ['an array', '[]'],
    ['an array of a token', '["token"]'],
    ['an empty object', '{}'],
    ['deep arrays', deepArray],
    ['a prototype', `{"__proto__":{"fcmToken":"${SECRET}"}}`],
  ])('a body that is %s', async (_name, body) => {
    await refused(body, 'ERR_INVALID_FCM_TOKEN');
  });

  test('a body that is no JSON', async () => {
    await refused('{"fcmToken":', 'ERR_INVALID_JSON');
  });

  test.each(
    table([
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
    ]),
  )('fcmToken: %s', async (_label, value) => {
    await refused(device({ fcmToken: value }), 'ERR_INVALID_FCM_TOKEN');
  });

  test.each(table([0, 7, true, [], ['ios'], {}, '', ' ios', 'IOS', 'windows', LONE, megabyte]))(
    'platform: %s',
    async (_label, value) => {
      await refused(device({ platform: value }), 'ERR_INVALID_PLATFORM');
    },
  );

  test.each(table([0, 7, true, [], ['phone'], {}, '  ', 'a\0b', LONE, 'x'.repeat(256), megabyte]))(
    'deviceId: %s',
    async (_label, value) => {
      await refused(device({ deviceId: value }), 'ERR_INVALID_DEVICE_ID');
    },
  );

  test('the first wrong field is the one that is told', async () => {
    await refused({ fcmToken: '', deviceId: 7, platform: 7 }, 'ERR_INVALID_FCM_TOKEN');
    await refused(device({ deviceId: 7, platform: 7 }), 'ERR_INVALID_DEVICE_ID');
  });

  test('without a session', async () => {
    const request = register(device());
    await world.refused({ ...request, headers: [['Content-Type', 'application/json']] }, 'UNAUTHORIZED');
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
  ])('taken: %s', async (_name, body, listed) => {
    const owner = await new RawClient().shakeHands(world.server.port);
    const { deviceId, ...answer } = await world.taken(register(body, owner), owner);
    expect(answer).toEqual({ status: 'success', message: 'Device registered successfully for push notifications' });
    expect(await list(owner)).toMatchObject([{ id: deviceId, ...listed }]);
  });

  test('200 devices of one identity: the last 50 are kept, and one line tells of it', async () => {
    const owner = await new RawClient().shakeHands(world.server.port);
    const device = (n: number) => register({ fcmToken: `many-${1_000_000 + n}` }, owner);
    for (let n = 0; n < 50; n++) await world.taken(device(n), owner);
    const mark = world.server.log.length;
    for (let n = 50; n < 200; n++) {
      const request = device(n);
      const answer = await world.send(request);
      expect({ status: answer.status, isSigned: owner.isSigned(request, answer) }).toEqual({
        status: 200,
        isSigned: true,
      });
    }
    expect(linesSince(world.server, mark)).toMatchObject([{ level: 30, msg: 'a limit was hit', limit: 'devices' }]);
    const tokens = (await list(owner)).map(({ fcmToken }) => fcmToken);
    expect(tokens.sort()).toEqual(Array.from({ length: 50 }, (_, n) => `...ny-${1_000_150 + n}`).sort());
  });
});

describe('GET /devices', () => {
  const ask = (query: string, by: Session = world.sender) => by.sign({ method: 'GET', path: `/devices?${query}` });
  const notNumbers = ['', '-1', '1.5', '1e2', '0x1', 'NaN', '%205', '5%20', '+5', '%D9%A1', '9'.repeat(400)];

  test.each([...notNumbers, '0', '101', '5&limit=5'])('limit: %s', async (limit) => {
    await world.refused(ask(`limit=${limit}`), 'ERR_INVALID_LIMIT');
  });

  test.each([...notNumbers, '100001', '5&offset=5'])('offset: %s', async (offset) => {
    await world.refused(ask(`offset=${offset}`), 'ERR_INVALID_OFFSET');
  });

  test('a query that is no UTF-8', async () => {
    await world.refused(ask('limit=%ff'), 'ERR_INVALID_REQUEST');
  });

  test('pages say what they hold, and together are all devices', async () => {
    const owner = await new RawClient().shakeHands(world.server.port);
    for (let n = 0; n < 5; n++) await world.taken(register({ fcmToken: `paged-${1_000_000 + n}` }, owner), owner);
    const all = (await list(owner)).map(({ fcmToken }) => fcmToken);
    expect(all).toHaveLength(5);
    const page = async (query: string) => {
      const { devices, ...rest } = await world.taken(ask(query, owner), owner);
      return [rest, (devices as { fcmToken: string }[]).map(({ fcmToken }) => fcmToken)];
    };
    const said = (limit: number, offset: number) => ({ status: 'success', limit, offset });
    expect(await page('')).toEqual([said(100, 0), all]);
    expect(await page('limit=2')).toEqual([said(2, 0), all.slice(0, 2)]);
    expect(await page('limit=2&offset=2')).toEqual([said(2, 2), all.slice(2, 4)]);
    expect(await page('limit=100&offset=4')).toEqual([said(100, 4), all.slice(4)]);
    expect(await page('offset=100000')).toEqual([said(100, 100_000), []]);
  });

  test('never shows a whole token, and nobody else’s devices', async () => {
    const [owner, other] = [
      await new RawClient().shakeHands(world.server.port),
      await new RawClient().shakeHands(world.server.port),
    ];
    await world.taken(register(device({ fcmToken: 'a-token-of-some-length' }), owner), owner);
    expect(JSON.stringify(await list(owner))).not.toContain('token-of');
    expect(await list(other)).toEqual([]);
  });

  test('without a session', async () => {
    const { method, path } = world.sender.sign({ method: 'GET', path: '/devices' });
    await world.refused({ method, path, headers: [] }, 'UNAUTHORIZED');
  });

  test('with another method', async () => {
    await world.refused(world.sender.post('/devices', {}), 'ERR_NOT_FOUND');
  });
});
