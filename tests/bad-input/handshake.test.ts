import { freezeClock } from '@messagebox/test-support/freeze-clock';
import {
  type Header,
  RawClient,
  RawConnection,
  Session,
  sendRaw,
  type WireRequest,
} from '@messagebox/test-support/raw-client';
import { HttpTestBed, SECRET } from './refusals.ts';

let world: HttpTestBed;
beforeAll(async () => {
  world = await HttpTestBed.start();
});
afterAll(() => world.close());

const client = new RawClient();
const json: Header[] = [['Content-Type', 'application/json']];
const handshake = (body: unknown, over: Partial<WireRequest> = {}): WireRequest => ({
  method: 'POST',
  path: '/.well-known/auth',
  headers: json,
  body: body instanceof Uint8Array ? body : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)),
  ...over,
});
const { identityKey, initialNonce, requestedCertificates } = client.initialRequest() as Record<string, string>;
const fields = (over: Record<string, unknown>): Record<string, unknown> => ({ ...client.initialRequest(), ...over });
const key = String(identityKey);

test('an honest handshake is answered with a signed response', async () => {
  const answer = await world.send(handshake(client.initialRequest()));
  expect(answer.status).toBe(200);
  expect(answer.headers['cache-control']).toBe('no-store');
  expect(Session.from(client, JSON.parse(answer.text)).serverKey).toBe(world.server.identityKey);
});

test.each<[string, unknown]>([
  ['null', 'null'],
  ['a number', '7'],
  ['a text', '"initialRequest"'],
  ['an array', [client.initialRequest()]],
  ['an empty array', []],
  ['an empty object', {}],
  ['nothing', ''],
  ['not JSON', `{"version":"0.1","a":"${SECRET}`],
  ['form data', 'version=0.1&messageType=initialRequest'],
  ['two byte order marks', `\ufeff\ufeff${JSON.stringify(client.initialRequest())}`],
  ['UTF-16', Buffer.from(JSON.stringify(client.initialRequest()), 'utf16le')],
  ['invalid UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])],
  ['deep', '['.repeat(7_000) + ']'.repeat(7_000)],
  ['fields of a prototype', `{"__proto__":${JSON.stringify(client.initialRequest())}}`],
  ['a prototype beside its fields', `{"__proto__":{},${JSON.stringify(client.initialRequest()).slice(1)}`],
  ['a constructor beside its fields', fields({ constructor: {} })],
  ['of 30 fields', fields(Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`field${i}`, i])))],
])('%s is refused', async (_name, body) => {
  await world.expectRefused(handshake(body), 'ERR_AUTH_MALFORMED');
});

describe.each<[string, readonly unknown[]]>([
  ['version', [undefined, null, '', '0.2', '1', 0.1, ['0.1'], {}, `0.1${'0'.repeat(9_000)}`]],
  [
    'messageType',
    [
      undefined,
      null,
      '',
      'general',
      'initialResponse',
      'certificateRequest',
      'InitialRequest',
      1,
      ['initialRequest'],
      {},
    ],
  ],
  [
    'identityKey',
    [
      undefined,
      null,
      '',
      7,
      {},
      [key],
      'self',
      'anyone',
      key.toUpperCase(),
      ` ${key}`,
      `${key}\n`,
      key.slice(2),
      `${key}00`,
      `04${'11'.repeat(64)}`,
      `05${key.slice(2)}`,
      `02${'ff'.repeat(32)}`,
      `02${'00'.repeat(32)}`,
      'f'.repeat(10_000),
    ],
  ],
  [
    'initialNonce',
    [
      undefined,
      null,
      '',
      7,
      {},
      [initialNonce],
      'not base64!',
      Buffer.alloc(15).toString('base64'),
      Buffer.alloc(129).toString('base64'),
      Buffer.alloc(9_000).toString('base64'),
      `${initialNonce} `,
      '-_'.repeat(32),
    ],
  ],
])('%s', (name, values) => {
  test.each(values.map((value) => [JSON.stringify(value)?.slice(0, 60) ?? 'left out', value]))(
    '%s',
    async (_l, value) => {
      await world.expectRefused(handshake(fields({ [name]: value })), 'ERR_AUTH_MALFORMED');
    },
  );
});

test.each(['GET', 'PUT', 'DELETE', 'PATCH', 'TRACE', 'PROPFIND'])(
  'refuses a handshake with the method %s',
  async (method) => {
    await world.expectRefused(handshake(client.initialRequest(), { method }), 'UNAUTHORIZED');
  },
);

test('refuses a handshake with a body of a megabyte', async () => {
  await world.expectRefused(handshake(fields({ padding: 'p'.repeat(1_000_000) })), 'ERR_BODY_TOO_LARGE');
});

test('refuses a handshake with a large body in chunks', async () => {
  const chunk = `4000\r\n${'p'.repeat(0x4000)}\r\n`;
  const head = 'POST /.well-known/auth HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n';
  await world.expectRefused(`${head}${chunk.repeat(3)}0\r\n\r\n`, 'ERR_BODY_TOO_LARGE');
});

test.each(['gzip', 'br', 'deflate', 'GZIP', 'identity, gzip', 'nonsense'])(
  'refuses a handshake that is compressed by %s',
  async (encoding) => {
    const headers: Header[] = [...json, ['Content-Encoding', encoding]];
    await world.expectRefused(handshake(client.initialRequest(), { headers }), 'ERR_UNSUPPORTED_ENCODING');
  },
);

test.each<[string, WireRequest]>([
  ['one byte order mark', handshake(`\ufeff${JSON.stringify(client.initialRequest())}`)],
  ['no content type', handshake(client.initialRequest(), { headers: [] })],
  ['another content type', handshake(client.initialRequest(), { headers: [['Content-Type', 'text/plain']] })],
  ['unknown fields', handshake(fields({ future: [1, 2, 3] }))],
  [
    'conditional headers',
    handshake(client.initialRequest(), { headers: [...json, ['If-None-Match', '*'], ['Range', 'bytes=0-1']] }),
  ],
  [
    'auth headers that say something else',
    handshake(client.initialRequest(), { headers: [...json, ['x-bsv-auth-identity-key', 'self']] }),
  ],
])('answers a handshake with %s', async (_name, request) => {
  const answer = await sendRaw(world.server.port, request);
  expect(answer.status).toBe(200);
  expect(Session.from(client, JSON.parse(answer.text)).client).toBe(client);
});

test.each(
  [
    7,
    'all',
    [],
    { certifiers: 'all' },
    { types: [] },
    { certifiers: Array(101).fill(key), types: {} },
    { types: 7 },
  ].map((value) => [JSON.stringify(value).slice(0, 60), value]),
)('answers a handshake that asks for the certificates %s', async (_label, value) => {
  expect((await world.send(handshake(fields({ requestedCertificates: value })))).status).toBe(200);
});

test("refuses the server's own identity as a client, because the answer could be sent back as a request of the server", async () => {
  await world.expectRefused(handshake(fields({ identityKey: world.server.identityKey })), 'ERR_AUTH_FAILED');
});

test('provides no certificates that the client asks for', async () => {
  const body = fields({ requestedCertificates: { certifiers: [key], types: { type: ['field'] } } });
  const answer = await world.send(handshake(body));
  expect(JSON.parse(answer.text)).toMatchObject({ requestedCertificates: { certifiers: [], types: {} } });
  expect(requestedCertificates).toEqual({ certifiers: [], types: {} });
});

test('a session nonce alone does not authenticate a request without the key of its identity', async () => {
  const { text } = await world.send(handshake(fields({ identityKey: world.recipient.client.identityKey })));
  const { initialNonce: nonce, yourNonce } = JSON.parse(text) as { initialNonce: string; yourNonce: string };
  const thief = new Session(client, world.server.identityKey, nonce, yourNonce);
  const request = thief.post('/listMessages', { messageBox: 'inbox' });
  await world.expectRefused(request, 'ERR_AUTH_FAILED');
  const asVictim = request.headers.map(
    ([name, value]): Header => [name, name === 'x-bsv-auth-identity-key' ? world.recipient.client.identityKey : value],
  );
  await world.expectRefused({ ...request, headers: asVictim }, 'ERR_AUTH_FAILED');
});

test('too many handshakes of one address are refused with the time to wait', async () => {
  const flooded = await HttpTestBed.start();
  // However slow this machine is, all of them come within the time that the limit is about.
  const goOn = freezeClock();
  try {
    const one = 'POST /.well-known/auth HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n';
    const statuses = new Set<number>();
    for (let round = 0; round < 50 && !statuses.has(429); round++) {
      const answers = await Promise.all(Array.from({ length: 4 }, () => pipeline(flooded.server.port, one, 400)));
      for (const { status, headers, text } of answers.flat()) {
        statuses.add(status);
        if (status !== 429) continue;
        flooded.expectRefusal({ status, headers, text }, 'ERR_TOO_MANY_REQUESTS');
        expect(Number(headers['retry-after'])).toBeGreaterThan(0);
      }
    }
    expect([...statuses].sort()).toEqual([400, 429]);
    goOn();
    await flooded.list();
  } finally {
    goOn();
    await flooded.close();
  }
});

async function pipeline(port: number, request: string, count: number) {
  const wire = await RawConnection.to(port);
  try {
    wire.write(request.repeat(count));
    const answers = [];
    for (let i = 0; i < count; i++) answers.push(await wire.answer());
    return answers;
  } finally {
    wire.destroy();
  }
}
