import { generateVapidKeys, getVapidSubject, normalisePushEndpoint, readConfig, toVapidKeys } from '../src/index.js';

const keys = generateVapidKeys();
const other = generateVapidKeys();

test('a generated pair is one, and its private key always has 32 bytes', () => {
  for (let n = 0; n < 600; n++) {
    const { publicKey, privateKey } = generateVapidKeys();
    expect(Buffer.from(privateKey, 'base64url')).toHaveLength(32);
    expect(toVapidKeys(privateKey)).toEqual({ publicKey, privateKey });
  }
});

test('without keys, nothing is pushed to browsers', () => {
  expect(readConfig({}).webPush).toBeUndefined();
});

test('a service that does not push needs the public key only', () => {
  expect(readConfig({ VAPID_PUBLIC_KEY: keys.publicKey }).webPush).toEqual({
    publicKey: keys.publicKey,
    privateKey: undefined,
  });
});

test('keys with padding are the same keys', () => {
  const env = { VAPID_PUBLIC_KEY: `${keys.publicKey}=`, VAPID_PRIVATE_KEY: `${keys.privateKey}=` };
  expect(readConfig(env).webPush).toEqual(keys);
});

test.each<[string, Record<string, string>, RegExp]>([
  ['a private key alone', { VAPID_PRIVATE_KEY: keys.privateKey }, /^VAPID_PRIVATE_KEY is set without VAPID_PUBLIC_KEY/],
  [
    'keys that are no pair',
    { VAPID_PUBLIC_KEY: other.publicKey, VAPID_PRIVATE_KEY: keys.privateKey },
    /^VAPID_PUBLIC_KEY is not the public key of VAPID_PRIVATE_KEY$/,
  ],
  [
    'a point that is not on the curve',
    { VAPID_PUBLIC_KEY: Buffer.concat([Buffer.from([4]), Buffer.alloc(64, 7)]).toString('base64url') },
    /^VAPID_PUBLIC_KEY must be an uncompressed point of P-256/,
  ],
  ['a key that is none', { VAPID_PUBLIC_KEY: 'key' }, /^VAPID_PUBLIC_KEY must be/],
  ['zero', { VAPID_PRIVATE_KEY: Buffer.alloc(32).toString('base64url') }, /^VAPID_PRIVATE_KEY must be a private key/],
  [
    'a number above the order of the curve',
    { VAPID_PRIVATE_KEY: Buffer.alloc(32, 0xff).toString('base64url') },
    /^VAPID_PRIVATE_KEY must be/,
  ],
  ['a bare address', { VAPID_SUBJECT: 'operator@host.example' }, /^VAPID_SUBJECT must be a mailto: address/],
  ['an http URL', { VAPID_SUBJECT: 'http://host.example' }, /^VAPID_SUBJECT must be/],
  ['a mailto: without an address', { VAPID_SUBJECT: 'mailto:operator' }, /^VAPID_SUBJECT must be/],
])('refuses %s, and never repeats a private key', (_what, env, reason) => {
  expect(() => readConfig(env)).toThrow(reason);
  const secret = env['VAPID_PRIVATE_KEY'];
  if (secret !== undefined) expect(() => readConfig(env)).not.toThrow(secret);
});

test('operators do not see the private key among the settings', () => {
  const { settings } = readConfig({ VAPID_PUBLIC_KEY: keys.publicKey, VAPID_PRIVATE_KEY: keys.privateKey });
  expect(JSON.stringify(settings)).not.toContain(keys.privateKey);
  expect(settings).toContainEqual({ name: 'VAPID_PRIVATE_KEY', value: 'set', isGiven: true });
});

test.each([
  [{ VAPID_SUBJECT: 'mailto:operator@host.example', HOSTING_DOMAIN: 'host.example' }, 'mailto:operator@host.example'],
  [{ HOSTING_DOMAIN: 'host.example' }, 'https://host.example'],
  [{ HOSTING_DOMAIN: 'http://host.example' }, 'mailto:operator@messagebox.invalid'],
  [{ HOSTING_DOMAIN: 'https://localhost:8080' }, 'mailto:operator@messagebox.invalid'],
  [{}, 'mailto:operator@messagebox.invalid'],
])('with %j, push services are given an address', (env, subject) => {
  expect(getVapidSubject(readConfig(env))).toBe(subject);
});

test('on a play chain, push services of the developer’s machine may be used, over https all the same', () => {
  expect(normalisePushEndpoint('https://localhost:8443/push/x', 'local')).toBe('https://localhost:8443/push/x');
  expect(normalisePushEndpoint('http://localhost:8080/push/x', 'local')).toBeUndefined();
  expect(normalisePushEndpoint('https://user@localhost/x', 'local')).toBeUndefined();
  for (const network of ['main', 'test'] as const) {
    expect(normalisePushEndpoint('https://localhost:8443/push/x', network)).toBeUndefined();
    expect(normalisePushEndpoint('https://push.example.com/x', network)).toBe('https://push.example.com/x');
  }
});
