import { type DatabaseHandle, DeviceRegistrations, openDatabase } from '@messagebox/store';
import { listDevices, registerDevice, unregisterDevice } from '../src/devices.js';
import { RuleError } from '../src/rule-error.js';

const ALICE = `02${'a'.repeat(64)}`;
const BOB = `03${'b'.repeat(64)}`;

let database: DatabaseHandle;
let devices: DeviceRegistrations;
beforeEach(async () => {
  database = openDatabase({ client: 'better-sqlite3', filename: ':memory:' });
  await database.messages.migrate();
  devices = new DeviceRegistrations(database.sql);
});
afterEach(() => database.messages.close());

const normaliseEndpoint = (endpoint: string) => (endpoint.startsWith('https:') ? endpoint : undefined);
const list = (request: object = {}, caller = ALICE) => listDevices({ devices }, caller, request);
/** Inserts a row with values that another server may have left. */
async function rowWith(change: Record<string, unknown>): Promise<void> {
  const { deviceId: id } = await registerDevice({ devices, normaliseEndpoint }, ALICE, {
    fcmToken: 'a-token-of-some-length',
  });
  await database.sql.knex('device_registrations').where({ id }).update(change);
}

test('lists the time of the update as last use of a device that was never used, because clients accept no null', async () => {
  await rowWith({ last_used: null, updated_at: 1_700_000_000_000 });
  const time = '2023-11-14T22:13:20.000Z';
  expect((await list()).devices).toMatchObject([{ updatedAt: time, lastUsed: time }]);
});

test.each([
  ['a platform that is none of the three', { platform: 'windows' }, { platform: null }],
  ['an empty platform', { platform: '' }, { platform: null }],
  ['an empty name', { device_id: '' }, { deviceId: null }],
  ['a name with space around', { device_id: ' phone ' }, { deviceId: null }],
  ['a name with a control character', { device_id: 'my\u0085phone' }, { deviceId: null }],
  ['a name of 256 bytes', { device_id: `${'é'.repeat(127)}ab` }, { deviceId: null }],
  ['a name of 255 bytes', { device_id: `${'é'.repeat(127)}a` }, { deviceId: `${'é'.repeat(127)}a` }],
  ['a token with a space at its end', { fcm_token: Buffer.from('abcdefghi-1 ') }, { fcmToken: '...cdefghi-1?' }],
  ['a token that ends in emoji', { fcm_token: Buffer.from('token📬') }, { fcmToken: '...token?' }],
])('replaces a value that clients refuse in the list: %s', async (_what, change, listed) => {
  await rowWith(change);
  expect((await list()).devices).toMatchObject([listed]);
});

test('lists pages of one identity with their limit and offset', async () => {
  for (let n = 0; n < 3; n++) await registerDevice({ devices, normaliseEndpoint }, ALICE, { fcmToken: `alice-${n}` });
  await registerDevice({ devices, normaliseEndpoint }, BOB, { fcmToken: 'bob' });
  const all = (await list()).devices;
  expect(all).toHaveLength(3);
  expect(await list({ limit: '2', offset: '1' })).toEqual({
    status: 'success',
    limit: 2,
    offset: 1,
    devices: all.slice(1),
  });
  expect(await list({ offset: '3' })).toMatchObject({ limit: 100, offset: 3, devices: [] });
});

test('unregisters a device of the caller, and answers the same when there is none', async () => {
  await registerDevice({ devices, normaliseEndpoint }, ALICE, { fcmToken: 'shared' });
  const { deviceId } = await registerDevice({ devices, normaliseEndpoint }, BOB, { fcmToken: 'shared' });
  const success = { status: 'success', message: 'Device unregistered from push notifications' };
  for (let i = 0; i < 2; i++) {
    expect(await unregisterDevice({ devices, normaliseEndpoint }, ALICE, { fcmToken: ' shared\n' })).toEqual(success);
  }
  expect((await list()).devices).toEqual([]);
  expect((await list({}, BOB)).devices).toMatchObject([{ id: deviceId, active: true }]);
  const refusal = await unregisterDevice({ devices, normaliseEndpoint }, BOB, {}).catch((error: unknown) => error);
  expect(refusal).toMatchObject({ code: 'ERR_INVALID_FCM_TOKEN' });
});

test('refuses one identity too many for a token, in words that say what to do', async () => {
  const key = (n: number) => `02${String(n).padStart(64, '0')}`;
  for (let n = 0; n < 20; n++) await registerDevice({ devices, normaliseEndpoint }, key(n), { fcmToken: 'shared' });
  const refusal = await registerDevice({ devices, normaliseEndpoint }, ALICE, { fcmToken: 'shared' }).catch(
    (error: unknown) => error,
  );
  expect(refusal).toBeInstanceOf(RuleError);
  expect(refusal).toMatchObject({
    code: 'ERR_TOO_MANY_IDENTITIES',
    status: 429,
    description: '20 identities have registered this token. Unregister one of them, or get a new token.',
    limit: 'identities_per_token',
  });
  expect((await list()).devices).toEqual([]);
});

test.each([
  ['ERR_INVALID_LIMIT', { limit: '0' }],
  ['ERR_INVALID_LIMIT', { limit: '101' }],
  ['ERR_INVALID_LIMIT', { limit: '1.5' }],
  ['ERR_INVALID_LIMIT', { limit: ['1', '2'] }],
  ['ERR_INVALID_OFFSET', { offset: '-1' }],
  ['ERR_INVALID_OFFSET', { offset: '100001' }],
  ['ERR_INVALID_OFFSET', { offset: 'two' }],
])('%s for %j', async (code, request) => {
  const refusal = await list(request).catch((error: unknown) => error);
  expect(refusal).toBeInstanceOf(RuleError);
  expect(refusal).toMatchObject({ code });
});
