import { gzipSync } from 'node:zlib';
import { type Header, type WireRequest, withHeader } from '@messagebox/test-support/raw-client';
import { HttpTestBed } from './refusals.ts';
import { readLinesSince } from './server.ts';

/** The one route that changes something without BRC-103: behind a key, or shut. */
const KEY = 'a-key-for-migrations-7c1e';
const open = { name: 'with a key', env: { MIGRATE_KEY: KEY } };
const servers = [
  open,
  { name: 'without a key', env: {} },
  { name: 'with a key that is too short', env: { MIGRATE_KEY: 'short-key' } },
];

/** Each from an address of its own, since guessing is held off by address. */
let asked = 0;
const ask = (body: string | Uint8Array, headers: Header[] = []): WireRequest => ({
  method: 'POST',
  path: '/migrate',
  headers: [['Content-Type', 'application/json'], ['X-Forwarded-For', addressOf(asked++)], ...headers],
  body: Buffer.from(body),
});
const addressOf = (n: number) => `10.0.${n >> 8}.${n & 255}`;
const withKey = (key: unknown) => ask(JSON.stringify({ migratekey: key }));

describe.each(servers)('a server $name', ({ env }) => {
  let world: HttpTestBed;
  beforeAll(async () => {
    world = await HttpTestBed.start({ TRUST_PROXY: '1', ...env });
  });
  afterAll(() => world.close());

  async function shut(request: WireRequest): Promise<void> {
    const mark = world.server.log.length;
    const answer = await world.send(request);
    world.expectRefusal(answer, 'ERR_UNAUTHORIZED');
    expect(readLinesSince(world.server, mark)).toEqual([expect.objectContaining({ level: 40 })]);
    world.expectNoSecrets(mark, request);
    expect(world.server.log.slice(mark).join('')).not.toContain(KEY);
    await world.list();
  }

  const wrong = [
    undefined,
    null,
    '',
    7,
    true,
    [],
    [KEY],
    {},
    { length: KEY.length },
    'short-key',
    KEY.slice(1),
    `${KEY} `,
    KEY.toUpperCase(),
    'k'.repeat(3_000),
    '\ud800',
    'undefined',
    'null',
  ];
  test.each(wrong.map((key) => [JSON.stringify(key)?.slice(0, 40), key]))('refuses the key %s', async (_label, key) => {
    await shut(withKey(key));
  });

  test.each(['', '{}', '[]', `["${KEY}"]`, `{"__proto__":{"migratekey":"${KEY}"}}`, `{"MIGRATEKEY":"${KEY}"}`])(
    'refuses the body %j',
    async (body) => {
      await shut(ask(body));
    },
  );

  test.each<[string, WireRequest]>([
    ['no JSON', ask(`migratekey=${KEY}`)],
    ['JSON that is cut off', ask(`{"migratekey":"${KEY}"`)],
    ['a text', ask(`"${KEY}"`)],
    ['deep JSON', ask('['.repeat(2_000) + ']'.repeat(1_999))],
    ['bytes that are not what they are called', ask('{}', [['Content-Encoding', 'gzip']])],
    ['an unknown encoding', ask('{}', [['Content-Encoding', 'nonsense']])],
    ['an unknown character set', { ...ask('{}'), headers: [['Content-Type', 'application/json; charset=nonsense']] }],
  ])('refuses %s', async (_name, request) => {
    await world.expectRefused(request, 'ERR_BAD_REQUEST');
  });

  test.each<[string, WireRequest]>([
    ['more than a key', ask(JSON.stringify({ migratekey: 'k'.repeat(5_000) }))],
    ['a bomb', ask(gzipSync(Buffer.alloc(1_000_000, '[')), [['Content-Encoding', 'gzip']])],
  ])('refuses %s, and names the limit', async (_name, request) => {
    const { text } = await world.expectRefused(request, 'ERR_BODY_TOO_LARGE');
    expect(JSON.parse(text)).toMatchObject({ field: 'requestBody', limit: 4_096 });
  });

  test.each(['GET', 'PUT', 'DELETE'])('knows no %s', async (method) => {
    await world.expectRefused({ ...withKey(KEY), method }, 'UNAUTHORIZED');
  });

  if (env !== open.env) {
    test('refuses every key, including its own short one', async () => {
      await shut(withKey(KEY));
      await shut(withKey(undefined));
    });
    return;
  }

  test('migrates with the right key, and does not log the key', async () => {
    const mark = world.server.log.length;
    const answer = await world.send(withKey(KEY));
    expect(answer.status).toBe(200);
    expect(JSON.parse(answer.text)).toEqual({ status: 'success', migrations: [] });
    expect(world.server.log.slice(mark).join('')).not.toContain(KEY);
  });
});

test('limits guesses by address', async () => {
  const world = await HttpTestBed.start({ TRUST_PROXY: '1', ...open.env });
  const guess = (key: string) => withHeader(withKey(key), 'x-forwarded-for', '10.1.1.1');
  try {
    let answer = await world.send(guess('a wrong one'));
    for (let i = 0; i < 1_000 && answer.status === 401; i++) answer = await world.send(guess(`${i}`));
    world.expectRefusal(answer, 'ERR_TOO_MANY_REQUESTS');
    expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
    world.expectRefusal(await world.send(guess(KEY)), 'ERR_TOO_MANY_REQUESTS');
    expect((await world.send(withKey(KEY))).status).toBe(200);
    await world.list();
  } finally {
    await world.close();
  }
});
