import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {
  commonLimits,
  databaseClientAliases,
  describeVariables,
  limitVariables,
  networkAliases,
  variables,
} from '../src/config/index.js';
import { ConfigError, mergeEnvFile, readConfig } from '../src/index.js';

const linesOf = (run: () => unknown): string[] => {
  try {
    run();
  } catch (error) {
    if (error instanceof ConfigError) return error.message.split('\n');
    throw error;
  }
  return [];
};

test('an empty environment has a default for everything', () => {
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

test('names the boxes that are pushed', () => {
  const notifications = { messageBox: 'notifications', title: 'New Message', text: undefined };
  expect(readConfig({}).pushBoxes).toEqual([notifications]);
  const longest = { messageBox: '\u{1f600}'.repeat(255), title: '\u{1f600}'.repeat(50), text: '\u{1f600}'.repeat(200) };
  const PUSH_BOXES = [
    'notifications ',
    ' payment_inbox = Payment received | Open the app: 1 = 1 | 2.',
    'Notifications',
    `${longest.messageBox}=${longest.title}|${longest.text}`,
  ].join(',');
  expect(readConfig({ PUSH_BOXES }).pushBoxes).toEqual([
    notifications,
    { messageBox: 'payment_inbox', title: 'Payment received', text: 'Open the app: 1 = 1 | 2.' },
    { ...notifications, messageBox: 'Notifications' },
    longest,
  ]);
});

test.each([
  ['inbox,inbox', 'PUSH_BOXES must name each box once (it is "inbox,inbox")'],
  [
    'inbox=Title',
    'PUSH_BOXES must give box=Title|Text with 1 to 50 and 1 to 200 characters, none of them a control character or a comma (it is "inbox=Title")',
  ],
  [
    'a,,b',
    'PUSH_BOXES must be comma-separated box names of 1 to 255 characters, without control characters (it is "a,,b")',
  ],
])('says what is wrong with the boxes %s', (PUSH_BOXES, line) => {
  expect(linesOf(() => readConfig({ PUSH_BOXES }))).toEqual([line]);
});

test('an empty value counts as unset', () => {
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
  ['LOG_LEVEL', 'verbose'],
  ['LOG_LEVEL', 'INFO'],
  ['OTEL_EXPORTER_OTLP_ENDPOINT', '127.0.0.1:4318'],
  ['OTEL_EXPORTER_OTLP_ENDPOINT', 'grpc://127.0.0.1:4317'],
  ['OTEL_EXPORTER_OTLP_ENDPOINT', 'http://127.0.0.1:4318/?key=1'],
  ['OTEL_EXPORTER_OTLP_TIMEOUT', '0'],
  ['OTEL_BSP_SCHEDULE_DELAY', '5s'],
  ['OTEL_RESOURCE_ATTRIBUTES', 'staging'],
  ['OTEL_RESOURCE_ATTRIBUTES', 'a=%zz'],
  ['OTEL_TRACES_SAMPLER', 'always'],
  ['OTEL_TRACES_SAMPLER_ARG', '1.5'],
  ['OTEL_TRACES_SAMPLER_ARG', '-0.1'],
  ['PUSH_BOXES', ','],
  ['PUSH_BOXES', 'inbox,,payments'],
  ['PUSH_BOXES', 'inbox,'],
  ['PUSH_BOXES', ' , inbox'],
  ['PUSH_BOXES', '=Title|Text'],
  ['PUSH_BOXES', 'inbox,inbox'],
  ['PUSH_BOXES', 'inbox,inbox=Title|Text'],
  ['PUSH_BOXES', 'inbox, inbox'],
  ['PUSH_BOXES', 'in\nbox'],
  ['PUSH_BOXES', 'in\0box'],
  ['PUSH_BOXES', '\ud800'],
  ['PUSH_BOXES', 'x'.repeat(256)],
  ['PUSH_BOXES', 'inbox='],
  ['PUSH_BOXES', 'inbox=Title'],
  ['PUSH_BOXES', 'inbox=Title|'],
  ['PUSH_BOXES', 'inbox=|Text'],
  ['PUSH_BOXES', 'inbox= | '],
  ['PUSH_BOXES', 'inbox=Ti\ntle|Text'],
  ['PUSH_BOXES', 'inbox=Title|Te\u0085xt'],
  ['PUSH_BOXES', 'inbox=Title|Te\u2028xt'],
  ['PUSH_BOXES', `inbox=${'x'.repeat(51)}|Text`],
  ['PUSH_BOXES', `inbox=Title|${'x'.repeat(201)}`],
  ['PUSH_BOXES', Array.from({ length: 101 }, (_, n) => `box-${n}`).join(',')],
  ['NETWORK', 'mainet'],
  ['BSV_NETWORK', 'main net'],
  ['WALLET_STORAGE_URL', 'storage.example'],
  ['PRICE_BASE', '-1'],
  ['PRICE_BASE', '1.0000001'],
  ['PRICE_PER_RECIPIENT', '10000001'],
  ['PRICE_PER_KIB', '1e3'],
  ['PRICE_PER_LIST_PAGE', 'free'],
  ['PRICE_EXEMPT_ALLOWED', 'yes'],
  ['ADMIN_IDENTITY_KEYS', `02${'ab'.repeat(32)},admin`],
  ['SLAP_TRACKERS', 'tracker.example'],
  ['SLAP_TRACKERS', 'https://tracker.example/path'],
  ['OVERLAY_PEERS', 'ftp://peer.example'],
  ['RECONCILE_SECONDS', '0'],
  ['OVERLAY_SYNC_SECONDS', 'hourly'],
])('%s=%s is refused with one line that names the variable', (name, value) => {
  const lines = linesOf(() => readConfig({ [name]: value }));
  expect(lines).toHaveLength(1);
  expect(lines[0]).toContain(name);
});

test('the error has one line for each wrong variable and contains no secret', () => {
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

test('LOG_LEVEL takes precedence over LOGGING_ENABLED', () => {
  expect(readConfig({}).logLevel).toBe('info');
  expect(readConfig({ LOGGING_ENABLED: 'true' }).logLevel).toBe('debug');
  expect(readConfig({ LOGGING_ENABLED: 'true', LOG_LEVEL: 'silent' }).logLevel).toBe('silent');
  for (const level of ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']) {
    expect(readConfig({ LOG_LEVEL: level }).logLevel).toBe(level);
  }
});

test('nothing is traced without a receiver, and everything with one', () => {
  expect(readConfig({ OTEL_SERVICE_NAME: 'x', OTEL_TRACES_SAMPLER: 'always_on' }).tracing).toBeUndefined();
  expect(readConfig({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318' }).tracing).toEqual({
    endpoint: 'http://127.0.0.1:4318',
    headers: {},
    timeoutMs: 10_000,
    delayMs: 5_000,
    serviceName: undefined,
    resourceAttributes: {},
    sampler: 'parentbased_traceidratio',
    sampledRatio: 1,
  });
});

test('headers for the receiver of traces are read, and never printed', () => {
  const env = { OTEL_EXPORTER_OTLP_ENDPOINT: 'https://traces.example/otlp' };
  const { tracing } = readConfig({ ...env, OTEL_EXPORTER_OTLP_HEADERS: 'api-key=a%20b%3D, x-tenant = one ' });
  expect(tracing?.headers).toEqual({ 'api-key': 'a b=', 'x-tenant': 'one' });
  const [line = ''] = linesOf(() => readConfig({ ...env, OTEL_EXPORTER_OTLP_HEADERS: 'hush' }));
  expect(line).toContain('OTEL_EXPORTER_OTLP_HEADERS must be pairs');
  expect(line).not.toContain('hush');
});

describe('DB_PASSWORD', () => {
  const connection = '{"host":"db","user":"u","password":"old","database":"mb"}';

  test.each(['plain', 'a"b', 'a\\b', `'$&{}"\\`])('takes the place of the connection`s password: %s', (password) => {
    const { store } = readConfig({ KNEX_DB_CONNECTION: connection, DB_PASSWORD: password });
    expect(store).toMatchObject({ connection: { host: 'db', user: 'u', password, database: 'mb' } });
  });

  test('leaves the connection as it is when it is not set', () => {
    expect(readConfig({ KNEX_DB_CONNECTION: connection }).store).toMatchObject({ connection: { password: 'old' } });
  });

  test.each([[undefined], ['"mysql://u:p@db/mb"'], ['{"filename":"x.sqlite"}']])('is refused with %s', (other) => {
    const lines = linesOf(() => readConfig({ KNEX_DB_CONNECTION: other, DB_PASSWORD: 'hush-hush' }));
    expect(lines).toEqual(['DB_PASSWORD needs KNEX_DB_CONNECTION as {"host", "port", "user", "database"}']);
  });
});

test('NETWORK and BSV_NETWORK accept the names of both servers and must not disagree', () => {
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

test('lists are split at commas, keys become lower case, and origins lose their slash', () => {
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

test('limits have defaults and can be set', () => {
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

  test('supplies variables that the process does not have', () => {
    writeFileSync(file, 'PORT=1\nHOST=127.0.0.1\n');
    expect(mergeEnvFile({ PORT: '2' }, file)).toEqual({ PORT: '2', HOST: '127.0.0.1' });
    expect(mergeEnvFile({ PORT: '2' }, path.join(folder, 'none'))).toEqual({ PORT: '2' });
  });

  test('is refused when it has an unknown name', () => {
    writeFileSync(file, 'PROT=8080\n');
    expect(linesOf(() => mergeEnvFile({}, file))).toEqual([expect.stringContaining('PROT')]);
  });
});

const root = path.resolve(__dirname, '../../..');
const documents: [file: string, row: RegExp, isLimitIn: (name: string) => boolean][] = [
  ['docs/configuration.md', /^\| `([A-Z][A-Z0-9_]+)` \|/gm, () => false],
  ['.env.example', /^#? ?([A-Z][A-Z0-9_]+)=/gm, (name) => commonLimits.has(name as never)],
];
test.each(documents)('%s lists every variable once, and links to the limits', (file, row, isLimitIn) => {
  const text = readFileSync(path.join(root, file), 'utf8');
  const listed = [...text.matchAll(row)].map((match) => String(match[1]));
  expect(listed).toHaveLength(new Set(listed).size);
  const expected = Object.keys(variables).filter((name) => !(name in limitVariables) || isLimitIn(name));
  expect(listed.sort()).toEqual(expected.sort());
  expect(text).toContain('limits.md');
});

describe('the description of a variable', () => {
  const described = describeVariables();
  /** These are valid only together with a connection. */
  const settingsFor = (name: string) => (name === 'KNEX_DB_CLIENT' ? { KNEX_DB_CONNECTION: '{"host":"db"}' } : {});

  test('exists for every variable that is not a limit', () => {
    const names = Object.keys(variables).filter((name) => !(name in limitVariables));
    expect(described.map(({ name }) => name)).toEqual(names);
  });

  test.each(described)(
    'of $name has a default or describes the unset variable, and shows only valid values',
    (about) => {
      expect(about.byDefault || about.unset).toMatch(/./);
      for (const value of [about.byDefault, about.example]) {
        if (value !== undefined)
          expect(linesOf(() => readConfig({ ...settingsFor(about.name), [about.name]: value }))).toEqual([]);
      }
    },
  );
});

test('legacy values are read as standard values', () => {
  for (const [alias, network] of Object.entries(networkAliases)) {
    expect(readConfig({ NETWORK: alias }).network).toBe(network);
  }
  for (const [alias, client] of Object.entries(databaseClientAliases)) {
    const connection = JSON.stringify({ host: 'db', filename: 'x.sqlite' });
    expect(readConfig({ KNEX_DB_CLIENT: alias, KNEX_DB_CONNECTION: connection }).store?.client).toBe(client);
  }
});

test('without prices, requests have none', () => {
  expect(readConfig({}).prices).toBeUndefined();
  expect(readConfig({ PRICE_BASE: '0', PRICE_PER_KIB: '0.0', PRICE_EXEMPT_ALLOWED: 'true' }).prices).toBeUndefined();
});

test('prices are read to the millionth of a satoshi', () => {
  const env = {
    PRICE_BASE: '2',
    PRICE_PER_RECIPIENT: '0.1',
    PRICE_PER_KIB: '0.000001',
    PRICE_PER_MIB_MONTH: '10000000',
  };
  expect(readConfig({ ...env, PRICE_PER_LIST_PAGE: '1.25' }).prices).toEqual({
    perSend: 2_000_000,
    perRecipient: 100_000,
    perKib: 1,
    perMibMonth: 10_000_000_000_000,
    perListPage: 1_250_000,
    storageDays: 30,
    exemptsAllowed: false,
  });
  expect(readConfig({ ...env, RETENTION_DAYS: '7' }).prices).toMatchObject({ storageDays: 7 });
});

test.each(['PRICE_BASE', 'PRICE_PER_RECIPIENT', 'PRICE_PER_KIB', 'PRICE_PER_MIB_MONTH', 'PRICE_PER_LIST_PAGE'])(
  '%s without a wallet is an error, because what is paid would be lost',
  (name) => {
    const lines = linesOf(() => readConfig({ NETWORK: 'main', [name]: '0.5' }));
    expect(lines).toEqual([expect.stringMatching(/^WALLET_STORAGE_URL is missing: with a PRICE_ variable above 0/)]);
    const withWallet = { NETWORK: 'main', [name]: '0.5', WALLET_STORAGE_URL: 'https://storage.example' };
    expect(linesOf(() => readConfig(withWallet))).toEqual([]);
  },
);
