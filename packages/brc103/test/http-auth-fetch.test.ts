import { createAuthenticator } from '../src/authenticator.js';
import { loadCurve } from '../src/curve/load-curve.js';
import { MemoryNonceStore } from './support/memory-nonce-store.js';
import { SdkClient } from './support/sdk-client.js';
import { SERVER_KEY, startApp, type TestApp } from './support/test-app.js';

const clock = { now: 1_768_600_000_000 };
const authenticatorOf = (privateKey: Uint8Array) =>
  createAuthenticator({ privateKey, curve: loadCurve(), now: () => clock.now });

let app: TestApp;
let client: SdkClient;
let store: MemoryNonceStore;

beforeEach(async () => {
  client = new SdkClient();
  store = new MemoryNonceStore();
  app = await startApp(
    (express) => {
      express.get('/empty', (_req, res) => void res.end());
      express.get('/no-content', (_req, res) => void res.status(204).end());
      express.get('/reset-content', (_req, res) => void res.status(205).send('nothing'));
      express.get('/not-modified', (_req, res) => void res.status(304).end());
      express.get('/text', (_req, res) => void res.type('text').send('gr\u00fc\u00df dich \u{1f600}'));
      express.get('/bytes', (_req, res) => void res.send(Buffer.from([0, 255, 128])));
      express.get('/redirected', (_req, res) => void res.status(402).json({ pay: true }));
      express.get('/throws', () => {
        throw new Error('secret detail');
      });
      express.get('/rejects', async () => {
        throw new Error('secret detail');
      });
      express.get('/half-written', (_req, res) => {
        res.write('first half');
        throw new Error('too late');
      });
      express.get('/stream', (_req, res) => {
        res.writeHead(201, 'Made', { 'X-BSV-Kind': 'stream', 'content-type': 'text/plain' });
        const buffer = Buffer.from('one ');
        res.write(buffer, () => {
          buffer.fill(0);
          res.write('74776f20', 'hex');
          res.end('three', () => res.emit('test-ended'));
        });
        res.flushHeaders();
      });
      express.get('/raw-headers', (_req, res) => {
        res.writeHead(200, ['X-BSV-a', '1', 'X-BSV-A', '2', 'content-type', 'text/plain']);
        res.end('done');
      });
      express.get('/headers', (_req, res) => {
        res.set({
          'X-BSV-Z': ' padded ',
          'x-bsv-a-b': 'caf\u00e9',
          'x-bsv-ab': '',
          'x-bsv-a.b': '1',
          Authorization: 'token',
        });
        res.set('x-bsv-list', ['one', 'two ']);
        res.json({});
      });
      express.use('/echo', (req, res) => {
        const { identityKey, rawBody } = req.auth ?? {};
        res.json({
          identityKey,
          method: req.method,
          url: req.originalUrl,
          body: rawBody?.toString('utf8'),
          query: req.query,
        });
      });
    },
    { authenticator: authenticatorOf(SERVER_KEY), clientNonces: store },
  );
});

afterEach(() => app.close());

const json = async (path: string, config?: Parameters<SdkClient['fetch']>[1]) => {
  const response = await client.fetch(app.url + path, config);
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
};

test('a GET is authenticated with and without a query', async () => {
  expect(await json('/echo')).toEqual({
    status: 200,
    body: { identityKey: client.identityKey, method: 'GET', url: '/echo', body: '', query: {} },
  });
  const { body } = await json('/echo/p%C3%A4th/\u00fc?q=a%20b&q=\u20ac&r=%2F+%26#fragment');
  expect(body['url']).toBe('/echo/p%C3%A4th/%C3%BC?q=a%20b&q=%E2%82%AC&r=%2F+%26');
  expect(app.outcomes).toEqual(['handshake', 'ok', 'ok']);
});

test.each([
  ['application/json', '{"text":"gr\u00fc\u00df\u20ac\u{1f600}"}'],
  ['application/json; charset=utf-8', '{"b":1,  "a":2}'],
  ['Application/JSON; Charset="UTF-8"', '{"odd":true}'],
  ['text/plain;charset=utf-8', 'not json {'],
  ['application/x-www-form-urlencoded', 'a=1&b=%20+'],
  ['application/vnd.custom+json', '{}'],
])('the body of a POST of %s arrives byte for byte', async (type, body) => {
  const response = await json('/echo', { method: 'POST', headers: { 'Content-Type': type }, body });
  expect(response).toMatchObject({ status: 200, body: { method: 'POST', body, identityKey: client.identityKey } });
});

test('a POST is authenticated with an object, with no body, and with an empty string', async () => {
  const headers = { 'content-type': 'application/json' };
  expect((await json('/echo', { method: 'POST', headers, body: { a: [1] } })).body['body']).toBe('{"a":[1]}');
  expect((await json('/echo', { method: 'POST', headers })).body['body']).toBe('{}');
  expect((await json('/echo', { method: 'POST' })).body['body']).toBe('');
  expect((await json('/echo', { method: 'POST', headers, body: '' })).body['body']).toBe('');
  for (const method of ['PUT', 'PATCH', 'DELETE']) {
    expect((await json('/echo', { method, headers, body: '[1]' })).body).toMatchObject({ method, body: '[1]' });
  }
});

test('a request with custom headers is authenticated', async () => {
  const headers = { 'X-BSV-Topic': 'a, b', 'x-bsv-a': 'caf\u00e9', Authorization: 'Bearer x' };
  expect(await json('/echo', { headers })).toMatchObject({ status: 200 });
});

test('the client verifies responses of every kind', async () => {
  const get = async (path: string, method = 'GET') => {
    const response = await client.fetch(app.url + path, { method });
    return { status: response.status, text: await response.text(), headers: response.headers };
  };
  expect(await get('/empty')).toMatchObject({ status: 200, text: '{}' });
  expect(await get('/no-content')).toMatchObject({ status: 204, text: '' });
  expect(await get('/reset-content')).toMatchObject({ status: 205, text: '' });
  expect(await get('/not-modified')).toMatchObject({ status: 304, text: '' });
  expect(await get('/text')).toMatchObject({ status: 200, text: 'gr\u00fc\u00df dich \u{1f600}' });
  expect(await get('/text', 'HEAD')).toMatchObject({ status: 200, text: '' });
  const stream = await get('/stream');
  expect(stream).toMatchObject({ status: 201, text: 'one two three' });
  expect(stream.headers.get('x-bsv-kind')).toBe('stream');
  expect((await get('/raw-headers')).headers.get('x-bsv-a')).toBe('1, 2');
  const { headers } = await get('/headers');
  expect(headers.get('x-bsv-z')).toBe('padded');
  expect(headers.get('x-bsv-a-b')).toBe('caf\u00e9');
  expect(headers.get('x-bsv-list')).toBe('one, two');
  expect(headers.get('authorization')).toBe('token');
  const bytes = await client.fetch(`${app.url}/bytes`);
  expect(Buffer.from(await bytes.arrayBuffer())).toEqual(Buffer.from([0, 255, 128]));
});

test('404s and errors are signed like all responses', async () => {
  expect(await json('/nowhere')).toEqual({ status: 404, body: { status: 'error', code: 'ERR_NOT_FOUND' } });
  for (const path of ['/throws', '/rejects']) {
    expect(await json(path)).toEqual({ status: 500, body: { status: 'error', code: 'ERR_INTERNAL' } });
  }
});

test('an error after half a response closes the connection, as it does without signatures', async () => {
  await expect(client.fetch(`${app.url}/half-written`)).rejects.toThrow('Network error');
});

test('several requests at once share one handshake', async () => {
  await json('/echo');
  const answers = await Promise.all(Array.from({ length: 20 }, (_, i) => json(`/echo?i=${i}`)));
  expect(answers.map(({ body }) => body['query'])).toEqual(Array.from({ length: 20 }, (_, i) => ({ i: String(i) })));
  expect(app.outcomes.filter((outcome) => outcome === 'handshake')).toHaveLength(1);
});

test('the client repeats the handshake when its session has expired', async () => {
  await json('/echo');
  clock.now += 3_600_000;
  expect(await json('/echo')).toMatchObject({ status: 200 });
  clock.now += 1;
  const body = 'x'.repeat(200_000);
  const headers = { 'content-type': 'text/plain' };
  expect(await json('/echo', { method: 'POST', headers, body })).toMatchObject({ status: 200, body: { body } });
  expect(app.outcomes).toEqual(['handshake', 'ok', 'ok', 'session_not_found', 'handshake', 'ok']);
});

/** Lets another instance serve this app's address from now on, as behind a load balancer or after a restart. */
async function handOver(privateKey: Uint8Array, clientNonces: MemoryNonceStore): Promise<TestApp> {
  const other = await startApp((express) => void express.get('/echo', (_req, res) => void res.json({ other: true })), {
    authenticator: authenticatorOf(privateKey),
    clientNonces,
  });
  app.server.removeAllListeners('request').on('request', (req, res) => other.server.emit('request', req, res));
  return other;
}

test('another instance with the same key and store serves the session', async () => {
  await json('/echo');
  const other = await handOver(SERVER_KEY, store);
  expect(await json('/echo')).toEqual({ status: 200, body: { other: true } });
  expect(other.outcomes).toEqual(['ok']);
  await other.close();
});

test.each([
  ['another key', Buffer.alloc(32, 8), () => store],
  ['a store that has lost the session', SERVER_KEY, () => new MemoryNonceStore()],
])('the client repeats the handshake with an instance with %s', async (_what, privateKey, clientNonces) => {
  await json('/echo');
  const other = await handOver(privateKey, clientNonces());
  expect(await json('/echo')).toEqual({ status: 200, body: { other: true } });
  expect(other.outcomes).toEqual(['session_not_found', 'handshake', 'ok']);
  await other.close();
});

test('a body above the limit is refused, and the client gets a 413', async () => {
  const headers = { 'content-type': 'text/plain' };
  const body = 'x'.repeat(1024 * 1024 + 1);
  await expect(client.fetch(`${app.url}/echo`, { method: 'POST', headers, body })).rejects.toThrow('413');
  expect(app.handled).toEqual([]);
  expect(await json('/echo', { method: 'POST', headers, body: body.slice(1) })).toMatchObject({ status: 200 });
});
