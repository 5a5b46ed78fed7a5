import { createECDH } from 'node:crypto';
import { RawClient, type Session } from '@messagebox/test-support/raw-client';
import { HttpTestBed, SECRET } from './refusals.ts';

// On a public network, where endpoints must be public.
let world: HttpTestBed;
beforeAll(async () => {
  world = await HttpTestBed.start({ NETWORK: 'test', SLAP_TRACKERS: 'http://127.0.0.1:1' });
});
afterAll(() => world.close());

const LONE = '\ud800';
const megabyte = 'A'.repeat(1_000_000);
const label = (value: unknown) => (JSON.stringify(value) ?? 'left out').slice(0, 60);
const table = (values: readonly unknown[]): [string, unknown][] => values.map((value) => [label(value), value]);

const ecdh = createECDH('prime256v1');
const point = ecdh.generateKeys();
const p256dh = point.toString('base64url');
const auth = Buffer.alloc(16, 7).toString('base64url');
const keys = { p256dh, auth };
const ENDPOINT = `https://updates.push.services.mozilla.com/wpush/v2/${SECRET}`;

const subscription = (fields: Record<string, unknown> = {}) => ({ endpoint: ENDPOINT, keys, ...fields });
const browser = (fields: Record<string, unknown> = {}) => ({
  platform: 'web',
  subscription: subscription(),
  deviceId: SECRET,
  ...fields,
});
const register = (body: object | string, by: Session = world.sender) => by.post('/registerDevice', body);
const unregister = (body: object | string, by: Session = world.sender) => by.post('/unregisterDevice', body);
const list = async (by: Session = world.sender) => {
  const { devices } = await world.expectAccepted(by.sign({ method: 'GET', path: '/devices' }), by);
  return devices as Record<string, unknown>[];
};
const startSession = async () => new RawClient().shakeHands(world.server.port);

const WRONG_ENDPOINTS = [
  undefined,
  null,
  '',
  7,
  [],
  {},
  'push.example.com',
  '/wpush',
  'http://updates.push.services.mozilla.com/x',
  'ftp://updates.push.services.mozilla.com/x',
  'wss://updates.push.services.mozilla.com/x',
  'file:///etc/passwd',
  'data:text/plain,x',
  'https://',
  'https://user@push.example.com/x',
  'https://user:password@push.example.com/x',
  'https://push.example.com/x#fragment',
  'https://push.example.com:8443/x',
  'https://push.example.com:80/x',
  'https://localhost/x',
  'https://localhost./x',
  'https://push.localhost/x',
  'https://push/x',
  'https://push.local/x',
  'https://push.internal/x',
  'https://metadata.google.internal/computeMetadata/v1/',
  'https://redis.lan/x',
  'https://127.0.0.1/x',
  'https://127.1/x',
  'https://2130706433/x',
  'https://0x7f000001/x',
  'https://0/x',
  'https://10.1.2.3/x',
  'https://172.16.0.1/x',
  'https://192.168.1.1/x',
  'https://169.254.169.254/latest/meta-data/',
  'https://100.64.0.1/x',
  'https://224.0.0.1/x',
  'https://255.255.255.255/x',
  'https://[::1]/x',
  'https://[::]/x',
  'https://[::ffff:127.0.0.1]/x',
  'https://[::ffff:10.0.0.1]/x',
  'https://[fe80::1]/x',
  'https://[fd00::1]/x',
  'https://[64:ff9b::a00:1]/x',
  'https://android.googleapis.com/gcm/send/x',
  `https://push.example.com/${LONE.repeat(700)}`,
  `https://push.example.com/${'x'.repeat(2_000)}`,
  `https://push.example.com/${'ü'.repeat(400)}`,
  `https://push.example.com/${megabyte}`,
];

describe('POST /registerDevice with a subscription', () => {
  const refused = async (body: object | string, code = 'ERR_INVALID_SUBSCRIPTION') => {
    const answer = await world.expectRefused(register(body), code);
    expect(await list()).toEqual([]);
    return answer;
  };

  test.each(table([7, true, '', 'https://push.example.com/x', [], [subscription()], {}, { endpoint: ENDPOINT }]))(
    'refuses the subscription %s',
    async (_label, value) => {
      await refused(browser({ subscription: value }));
    },
  );

  test.each(table(WRONG_ENDPOINTS))('refuses the endpoint %s', async (_label, endpoint) => {
    const answer = await refused(browser({ subscription: subscription({ endpoint }) }));
    expect(answer.text).toContain('subscription.endpoint must be');
  });

  test.each(
    table([
      undefined,
      null,
      7,
      [],
      '',
      p256dh.slice(1),
      `${p256dh}A`,
      `${p256dh.slice(0, -2)}!!`,
      `${p256dh.slice(0, -1)}\n`,
      LONE,
      megabyte,
      // Compressed, of another form, not on the curve, and the point at infinity.
      ecdh.getPublicKey('base64url', 'compressed'),
      ecdh.getPublicKey('base64url', 'hybrid'),
      Buffer.concat([Buffer.from([4]), Buffer.alloc(64, 7)]).toString('base64url'),
      Buffer.concat([Buffer.from([4]), Buffer.alloc(64)]).toString('base64url'),
      Buffer.concat([Buffer.from([4]), Buffer.alloc(64, 0xff)]).toString('base64url'),
    ]),
  )('refuses the p256dh %s', async (_label, value) => {
    const answer = await refused(browser({ subscription: subscription({ keys: { auth, p256dh: value } }) }));
    expect(answer.text).toContain('subscription.keys.p256dh must be');
  });

  test.each(table([undefined, null, 7, [], '', auth.slice(1), `${auth}AA`, `${auth.slice(0, -2)}!!`, LONE, megabyte]))(
    'refuses the auth %s',
    async (_label, value) => {
      const answer = await refused(browser({ subscription: subscription({ keys: { p256dh, auth: value } }) }));
      expect(answer.text).toContain('subscription.keys.auth must be');
    },
  );

  test.each(table([undefined, null, 'ios', 'android', 'WEB', 7]))(
    'refuses the platform %s',
    async (_label, platform) => {
      await refused(browser({ platform }), 'ERR_INVALID_PLATFORM');
    },
  );

  test('refuses a token beside the subscription, and a name that is none', async () => {
    await refused(browser({ fcmToken: 'token' }));
    await refused(browser({ deviceId: 7 }), 'ERR_INVALID_DEVICE_ID');
    await refused(browser({ subscription: null }), 'ERR_INVALID_FCM_TOKEN');
  });

  test.each<[string, Record<string, unknown>, string]>([
    ['what a browser gives', { ...subscription(), expirationTime: null }, '...ecret-9f31'],
    ['keys with padding', subscription({ keys: { p256dh: `${p256dh}=`, auth: `${auth}==` } }), '...ecret-9f31'],
    [
      'a host with capitals, and the port of https',
      subscription({ endpoint: 'https://PUSH.example.com:443/abcdefghijk' }),
      '...bcdefghijk',
    ],
    ['a public address', subscription({ endpoint: 'https://8.8.8.8/abcdefghijk' }), '...bcdefghijk'],
    [
      'the longest endpoint',
      subscription({ endpoint: `https://push.example.com/${'x'.repeat(1_975)}` }),
      '...xxxxxxxxxx',
    ],
  ])('accepts %s, and lists its end only', async (_name, value, end) => {
    const owner = await startSession();
    const { deviceId } = await world.expectAccepted(register(browser({ subscription: value }), owner), owner);
    const [listed, ...others] = await list(owner);
    expect(others).toEqual([]);
    expect(listed).toMatchObject({ id: deviceId, platform: 'web', active: true, fcmToken: end });
    // Registered again, it is the same registration.
    expect(await world.expectAccepted(register(browser({ subscription: value }), owner), owner)).toMatchObject({
      deviceId,
    });
    expect(await list(owner)).toHaveLength(1);
  });
});

describe('POST /unregisterDevice of a browser', () => {
  test.each(table(WRONG_ENDPOINTS.slice(2)))('refuses the endpoint %s', async (_label, endpoint) => {
    await world.expectRefused(unregister({ endpoint }), 'ERR_INVALID_SUBSCRIPTION');
    await world.expectRefused(unregister({ subscription: { endpoint } }), 'ERR_INVALID_SUBSCRIPTION');
  });

  test('refuses a token beside the endpoint', async () => {
    await world.expectRefused(unregister({ fcmToken: 'token', endpoint: ENDPOINT }), 'ERR_INVALID_SUBSCRIPTION');
  });

  test.each([
    ['the subscription', { subscription: subscription() }],
    ['the endpoint of the subscription', { subscription: { endpoint: ENDPOINT } }],
    ['the endpoint', { endpoint: ENDPOINT }],
    ['the endpoint in another spelling', { endpoint: ENDPOINT.replace('updates', 'UPDATES') }],
  ])('ends the own registration by %s, and nobody else’s', async (_name, body) => {
    const [owner, other] = [await startSession(), await startSession()];
    for (const by of [owner, other]) await world.expectAccepted(register(browser(), by), by);
    const answer = await world.expectAccepted(unregister(body, owner), owner);
    expect(await list(owner)).toEqual([]);
    expect(await list(other)).toHaveLength(1);
    // The same answer when there is none, or only another's.
    expect(await world.expectAccepted(unregister(body, owner), owner)).toEqual(answer);
    await world.expectAccepted(unregister(body, other), other);
  });
});
