import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { ConfigError, limitVariables, readConfig, variables, withEnvFile } from '../src/config/index.js';

const linesOf = (run: () => unknown): string[] => {
  try {
    run();
  } catch (error) {
    if (error instanceof ConfigError) return error.message.split('\n');
    throw error;
  }
  return [];
};

test('an empty environment is a usable one', () => {
  const config = readConfig({});
  expect(config).toMatchObject({
    nodeEnv: 'development',
    port: undefined,
    routingPrefix: '',
    store: undefined,
    redis: undefined,
    websockets: true,
    sessions: { lifeMs: 3_600_000, socketMaxMs: 604_800_000 },
    limits: { requestBody: 10_485_760, list: 15_000_000, liveBody: 2_097_152 },
  });
});

test('an empty value is no value', () => {
  expect(readConfig({ PORT: '', SERVER_PRIVATE_KEY: '', REDIS_URL: '' })).toEqual(readConfig({}));
});

test.each<[string, string]>([
  ['PORT', 'http'],
  ['PORT', '65536'],
  ['PORT', '-1'],
  ['NODE_ENV', 'prod'],
  ['ROUTING_PREFIX', 'api'],
  ['ROUTING_PREFIX', '/a b'],
  ['ROUTING_PREFIX', '/development/x'],
  ['SERVER_PRIVATE_KEY', 'abc'],
  ['SESSION_SECRETS', `${'0'.repeat(64)},zz`],
  ['SESSION_LIFE_SECONDS', '0'],
  ['SESSION_LIFE_SECONDS', '1e3'],
  ['KNEX_DB_CLIENT', 'postgres'],
  ['KNEX_DB_CONNECTION', '{host: db}'],
  ['KNEX_DB_CONNECTION', '"localhost"'],
  ['REDIS_URL', 'localhost:6379'],
  ['ENABLE_WEBSOCKETS', 'yes'],
  ['MAX_BODY_BYTES', '10mb'],
  ['RATE_HANDSHAKES_PER_ADDRESS', '3000'],
  ['RATE_HANDSHAKES_PER_ADDRESS', '0/3s'],
  ['RATE_HANDSHAKES_PER_ADDRESS', '3000/0s'],
  ['RATE_HANDSHAKES_PER_ADDRESS', '3000/3m'],
  ['RATE_HANDSHAKES_PER_ADDRESS', '3000/90000s'],
  ['MAX_SOCKETS_PER_ADDRESS', '0'],
  ['MAX_UNFINISHED_FRAME_BYTES', '1000'],
  ['LOGGING_ENABLED', '1'],
  ['NETWORK', 'mainet'],
  ['BSV_NETWORK', 'main net'],
  ['WALLET_STORAGE_URL', 'storage.example'],
  ['ADMIN_IDENTITY_KEYS', `02${'ab'.repeat(32)},admin`],
  ['SLAP_TRACKERS', 'tracker.example'],
  ['SLAP_TRACKERS', 'https://tracker.example/path'],
  ['OVERLAY_PEERS', 'ftp://peer.example'],
  ['RECONCILE_SECONDS', '0'],
  ['OVERLAY_SYNC_SECONDS', 'hourly'],
])('%s=%s is refused with one line that names it', (name, value) => {
  const lines = linesOf(() => readConfig({ [name]: value }));
  expect(lines).toHaveLength(1);
  expect(lines[0]).toContain(name);
});

test('every wrong variable has its line, and no secret is in one', () => {
  const lines = linesOf(() =>
    readConfig({ PORT: 'x', SERVER_PRIVATE_KEY: 'my-secret-key', REDIS_URL: 'http://user:hush@r' }),
  );
  expect(lines).toHaveLength(3);
  expect(lines.join()).not.toMatch(/my-secret-key|hush/);
});

test('numbers, keys, flags and connections are read', () => {
  const key = '11'.repeat(32);
  const config = readConfig({
    PORT: '0',
    ROUTING_PREFIX: '/api/',
    SERVER_PRIVATE_KEY: key,
    SESSION_SECRETS: `${key},${'22'.repeat(32)}`,
    SESSION_LIFE_SECONDS: '2.5',
    KNEX_DB_CLIENT: 'mysql',
    KNEX_DB_CONNECTION: '{"host":"db","user":"u","password":"p","database":"mb"}',
    REDIS_URL: 'redis://r:6379',
    ENABLE_WEBSOCKETS: 'false',
  });
  expect(config.port).toBe(0);
  expect(config.routingPrefix).toBe('/api');
  expect(Buffer.from(config.serverPrivateKey ?? []).toString('hex')).toBe(key);
  expect(config.sessions.secrets).toHaveLength(2);
  expect(config.sessions.lifeMs).toBe(2_500);
  expect(config.store).toMatchObject({ client: 'mysql2', connection: { host: 'db' } });
  expect(config.redis).toEqual({ url: 'redis://r:6379', prefix: 'messagebox' });
  expect(config.websockets).toBe(false);
});

test('networks go by the names of both servers, and must not disagree', () => {
  const network = (env: Record<string, string>) => readConfig(env).network;
  expect(network({})).toBe('local');
  expect(network({ NODE_ENV: 'production' })).toBe('main');
  expect(network({ NODE_ENV: 'production', NETWORK: 'regtest' })).toBe('local');
  expect(network({ BSV_NETWORK: 'testnet' })).toBe('test');
  expect(network({ NETWORK: 'main', BSV_NETWORK: 'mainnet' })).toBe('main');
  const [line, ...more] = linesOf(() => readConfig({ NETWORK: 'main', BSV_NETWORK: 'testnet' }));
  expect(more).toEqual([]);
  expect(line).toMatch(/NETWORK is main and BSV_NETWORK is testnet/);
});

test('lists are split at commas, keys are lower case, origins have no slash', () => {
  const key = `02${'AB'.repeat(32)}`;
  const config = readConfig({
    ADMIN_IDENTITY_KEYS: `${key}, 03${'cd'.repeat(32)}`,
    SLAP_TRACKERS: 'https://one.example/, http://two.example:81',
    OVERLAY_PEERS: '',
  });
  expect(config.adminIdentityKeys).toEqual([key.toLowerCase(), `03${'cd'.repeat(32)}`]);
  expect(config.overlay).toMatchObject({
    slapTrackers: ['https://one.example', 'http://two.example:81'],
    peers: [],
  });
});

test('limits are as they are without a value, and can be set', () => {
  expect(readConfig({}).limits).toMatchObject({
    rates: { handshakes: { count: 3_000, seconds: 3 }, requests: { count: 10_000, seconds: 10 } },
    inFlight: { requests: 2_000, bodyBytes: 536_870_912 },
    sockets: { perAddress: 12_000, perIdentity: 300, perRoom: 25, unproven: 4_000 },
  });
  const { limits } = readConfig({ RATE_SENDS_PER_IDENTITY: '5/60s', MAX_SOCKETS_PER_ROOM: '7' });
  expect(limits).toMatchObject({ rates: { sends: { count: 5, seconds: 60 } }, sockets: { perRoom: 7 } });
});

describe('an env file', () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'messagebox-env-'));
  const file = path.join(folder, '.env');
  afterAll(() => rmSync(folder, { recursive: true }));

  test('gives what the process was not given', () => {
    writeFileSync(file, 'PORT=1\nHOST=127.0.0.1\n');
    expect(withEnvFile({ PORT: '2' }, file)).toEqual({ PORT: '2', HOST: '127.0.0.1' });
    expect(withEnvFile({ PORT: '2' }, path.join(folder, 'none'))).toEqual({ PORT: '2' });
  });

  test('may hold no name that nobody reads', () => {
    writeFileSync(file, 'PROT=8080\n');
    expect(linesOf(() => withEnvFile({}, file))).toEqual([expect.stringContaining('PROT')]);
  });
});

const root = path.resolve(__dirname, '../../..');
test.each(['.env.example', 'README.md'])('%s names the variables that are read, and of the limits some', (file) => {
  const text = readFileSync(path.join(root, file), 'utf8');
  const pattern = file === 'README.md' ? /^\| `([A-Z][A-Z0-9_]+)` \|/gm : /^#? ?([A-Z][A-Z0-9_]+)=/gm;
  const named = [...text.matchAll(pattern)].map((match) => String(match[1]));
  expect(named).toHaveLength(new Set(named).size);
  // docs/limits.md has all limits, and is linked to.
  const expected = Object.keys(variables).filter((name) => !(name in limitVariables) || named.includes(name));
  expect(named.sort()).toEqual(expected.sort());
  expect(text).toContain('docs/limits.md');
});
