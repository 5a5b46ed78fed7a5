import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { Agent, request as httpRequest } from 'node:http';
import { connect, type Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import express from 'express';
import { createAuthenticator, type InitialResponse } from '../src/authenticator.js';
import { loadCurve } from '../src/curve/load-curve.js';
import { createAuthMiddleware } from '../src/http/auth-middleware.js';
import type { ClaimedRequest } from '../src/http/claimed-request.js';
import { type PlainResponse, SdkClient, sendPlainRequest } from './support/sdk-client.js';
import {
  createInitialRequest,
  isSignedResponse,
  type SignedRequest,
  sendSignedRequest,
  shakeHands,
  signRequest,
} from './support/signed-request.js';
import { startApp, type TestApp } from './support/test-app.js';

const LIMIT = 100_000;
const clock = { now: 1_768_600_000_000 };
const client = new SdkClient();

let app: TestApp;
let handshake: InitialResponse;
let claims: ClaimedRequest[];
let claim: (request: ClaimedRequest) => boolean | Promise<boolean>;
let whileHandling: () => Promise<void>;

beforeEach(async () => {
  claims = [];
  claim = ({ key }) => claims.filter((known) => Buffer.from(known.key).equals(key)).length === 1;
  whileHandling = async () => {};
  app = await startApp(
    (routes) => {
      routes.use('/echo', async (req, res) => {
        await whileHandling();
        res.json({ identityKey: req.auth?.identityKey, length: req.auth?.rawBody.length });
      });
    },
    {
      authenticator: createAuthenticator({ privateKey: Buffer.alloc(32, 7), curve: loadCurve(), now: () => clock.now }),
      maxBodyBytes: LIMIT,
      claimRequest: async (request) => {
        claims.push(request);
        return claim(request);
      },
    },
  );
  handshake = await shakeHands(app.url, client);
  app.outcomes.length = 0;
});

afterEach(() => app.close());

const sign = (draft?: Parameters<typeof signRequest>[3]) => signRequest(app.url, client, handshake, draft);

/** Expects that the request was refused before any handler, in JSON, without a signature. */
function expectRefusal(response: PlainResponse, status: number, code: string): Record<string, unknown> {
  expect(response.status).toBe(status);
  expect(response.headers['content-type']).toMatch(/^application\/json/);
  expect(response.headers['cache-control']).toBe('no-store');
  expect(Object.keys(response.headers).filter((name) => name.startsWith('x-bsv'))).toEqual([]);
  const body = JSON.parse(response.text) as Record<string, unknown>;
  expect(body).toMatchObject({ status: 'error', code });
  expect(app.handled).toEqual([]);
  return body;
}

test('a signed request is served, and its response is signed', async () => {
  const request = await sign();
  const response = await sendSignedRequest(request);
  expect(JSON.parse(response.text)).toEqual({ identityKey: client.identityKey, length: 7 });
  expect(response.headers).toMatchObject({
    'x-bsv-auth-version': '0.1',
    'x-bsv-auth-identity-key': app.authenticator.identityKey,
    'x-bsv-auth-your-nonce': handshake.yourNonce,
    'x-bsv-auth-request-id': request.headers['x-bsv-auth-request-id'],
    'cache-control': 'no-store',
  });
  expect(response.headers.etag).toBeUndefined();
  expect(await isSignedResponse(client, handshake, request, response)).toBe(true);
  expect(app.outcomes).toEqual(['ok']);
});

test('a request without auth headers gets exactly the 401 that clients know', async () => {
  const response = await sendPlainRequest(`${app.url}/echo`, { method: 'POST' }, 'anything');
  const body = expectRefusal(response, 401, 'UNAUTHORIZED');
  expect(body).toEqual({ status: 'error', code: 'UNAUTHORIZED', message: 'Mutual-authentication failed!' });
  expect((await sendPlainRequest(`${app.url}/echo`, { method: 'HEAD' })).status).toBe(401);
  expect(app.outcomes).toEqual(['unauthorized', 'unauthorized']);
});

test('a request with the identity of another client is refused, and its handler never runs', async () => {
  const request = await sign();
  request.headers['x-bsv-auth-identity-key'] = new SdkClient().identityKey;
  expectRefusal(await sendSignedRequest(request), 401, 'ERR_AUTH_FAILED');
  expect(app.outcomes).toEqual(['session_not_found']);
});

test('a session that an attacker has opened for another identity is of no use to the attacker', async () => {
  const thief = new SdkClient();
  // An attacker can begin a handshake for the victim's identity, but sign only with its own key.
  const stolen = await shakeHands(app.url, client);
  const request = await signRequest(app.url, thief, stolen);
  request.headers['x-bsv-auth-identity-key'] = client.identityKey;
  expectRefusal(await sendSignedRequest(request), 401, 'ERR_AUTH_FAILED');
});

const tampering: [string, (request: SignedRequest) => void][] = [
  ['body', (request) => (request.body = '{"a":2}')],
  ['body, made longer', (request) => (request.body = '{"a":1} ')],
  ['body, taken away', (request) => (request.body = undefined)],
  ['path', (request) => (request.path = '/echo/?a=1')],
  ['path, percent-encoded', (request) => (request.path = '/ech%6f?a=1')],
  ['query', (request) => (request.path = '/echo?a=2')],
  ['query, taken away', (request) => (request.path = '/echo')],
  ['query, added to', (request) => (request.path = '/echo?a=1&a=1')],
  ['method', (request) => (request.method = 'PUT')],
  ['content-type', (request) => (request.headers['content-type'] = 'text/plain')],
  ['content-type, taken away', (request) => delete request.headers['content-type']],
  ['a custom header, added', (request) => (request.headers['x-bsv-payment'] = '{}')],
  ['authorization, added', (request) => (request.headers['authorization'] = 'x')],
  ['request id', (request) => (request.headers['x-bsv-auth-request-id'] = randomBytes(32).toString('base64'))],
  ['nonce', (request) => (request.headers['x-bsv-auth-nonce'] = randomBytes(32).toString('base64'))],
];

test.each(tampering)('a request with a changed part is refused: %s', async (_what, tamper) => {
  const request = await sign();
  tamper(request);
  expectRefusal(await sendSignedRequest(request), 401, 'ERR_AUTH_FAILED');
});

test('parameters of the content-type are not signed, but the body is', async () => {
  const request = await sign();
  request.headers['content-type'] = 'application/json; charset=utf-8';
  expect((await sendSignedRequest(request)).status).toBe(200);
  const other = await sign();
  other.headers['content-type'] = 'application/json; charset=utf-8';
  other.body = '{"a":3}';
  expect((await sendSignedRequest(other)).status).toBe(401);
});

describe('auth headers', () => {
  const names = ['version', 'identity-key', 'nonce', 'your-nonce', 'signature', 'request-id'].map(
    (n) => `x-bsv-auth-${n}`,
  );

  test.each(names)('%s is refused when it is missing, sent twice, or too long', async (name) => {
    const request = await sign();
    const value = String(request.headers[name]);
    delete request.headers[name];
    expectRefusal(await sendSignedRequest(request), 400, 'ERR_AUTH_MALFORMED');
    request.headers[name] = [value, value];
    expectRefusal(await sendSignedRequest(request), 400, 'ERR_AUTH_MALFORMED');
    request.headers[name] = value.padEnd(10_000, 'A');
    expectRefusal(await sendSignedRequest(request), 400, 'ERR_AUTH_MALFORMED');
    request.headers[name] = '';
    expectRefusal(await sendSignedRequest(request), 400, 'ERR_AUTH_MALFORMED');
    expect(app.outcomes).toEqual(Array(4).fill('malformed'));
  });

  test.each<[string, (value: string) => string]>([
    ['x-bsv-auth-version', () => '0.2'],
    ['x-bsv-auth-identity-key', (value) => value.toUpperCase()],
    ['x-bsv-auth-identity-key', () => 'self'],
    ['x-bsv-auth-nonce', (value) => value.replace('=', '')],
    ['x-bsv-auth-nonce', () => 'AAAA'],
    ['x-bsv-auth-your-nonce', (value) => `${value.slice(0, -4)}-_-_`],
    ['x-bsv-auth-signature', (value) => `${value}0`],
    ['x-bsv-auth-signature', (value) => `${value.slice(0, -2)}zz`],
    ['x-bsv-auth-signature', (value) => value.padEnd(146, '0')],
    ['x-bsv-auth-request-id', () => randomBytes(31).toString('base64')],
    ['x-bsv-auth-request-id', () => '%%%'],
  ])('%s is refused when it is not encoded correctly (%#)', async (name, spoil) => {
    const request = await sign();
    request.headers[name] = spoil(String(request.headers[name]));
    expectRefusal(await sendSignedRequest(request), 400, 'ERR_AUTH_MALFORMED');
  });

  test('a content-type or authorization that is sent twice is refused, too', async () => {
    const request = await sign();
    Object.assign(request.headers, { authorization: ['a', 'b'] });
    expectRefusal(await sendSignedRequest(request), 400, 'ERR_AUTH_MALFORMED');
    delete request.headers['authorization'];
    Object.assign(request.headers, { 'content-type': ['application/json', 'text/plain'] });
    expectRefusal(await sendSignedRequest(request), 400, 'ERR_AUTH_MALFORMED');
  });

  test('a signature that is hex but not DER is refused', async () => {
    const request = await sign();
    request.headers['x-bsv-auth-signature'] = '00ff';
    expectRefusal(await sendSignedRequest(request), 401, 'ERR_AUTH_FAILED');
  });
});

describe('sessions', () => {
  test('expired, future and foreign sessions are not found', async () => {
    const description = 'Session not found for nonce';
    const request = await sign();
    clock.now += 3_600_001;
    expect(expectRefusal(await sendSignedRequest(request), 401, 'ERR_AUTH_FAILED')).toMatchObject({ description });
    clock.now -= 3_600_001 + 60_001;
    expect(expectRefusal(await sendSignedRequest(request), 401, 'ERR_AUTH_FAILED')).toMatchObject({ description });
    clock.now += 60_001;
    request.headers['x-bsv-auth-your-nonce'] = randomBytes(48).toString('base64');
    expect(expectRefusal(await sendSignedRequest(request), 401, 'ERR_AUTH_FAILED')).toMatchObject({ description });
    expect(app.outcomes).toEqual(Array(3).fill('session_not_found'));
  });
});

describe('replays', () => {
  test('a request is accepted once', async () => {
    const request = await sign();
    expect((await sendSignedRequest(request)).status).toBe(200);
    app.handled.length = 0;
    const body = expectRefusal(await sendSignedRequest(request), 401, 'ERR_AUTH_FAILED');
    expect(body['description']).toBe('This request was already used');
    expect(app.outcomes).toEqual(['ok', 'replayed']);
    expect((await sendSignedRequest(await sign())).status).toBe(200);
    const keys = claims.map(({ key }) => Buffer.from(key).toString('hex'));
    expect(keys).toEqual([keys[0], keys[0], keys[2]]);
    expect(keys[2]).not.toBe(keys[0]);
    expect(keys[0]).toHaveLength(64);
    expect(claims[0]?.expiresAt).toEqual(new Date(clock.now + 3_600_000 + 60_000));
  });

  test('only a verified request is claimed', async () => {
    const request = await sign();
    await sendSignedRequest({ ...request, body: '{}' });
    await sendSignedRequest({
      ...request,
      headers: { ...request.headers, 'x-bsv-auth-your-nonce': randomBytes(48).toString('base64') },
    });
    expect(claims).toEqual([]);
    expect((await sendSignedRequest(request)).status).toBe(200);
  });

  test('when the store of claims fails, the request fails with a signed response', async () => {
    claim = async () => {
      throw new Error('no connection to 10.0.0.1');
    };
    const request = await sign();
    const response = await sendSignedRequest(request);
    expect(response.status).toBe(500);
    expect(JSON.parse(response.text)).toEqual({ status: 'error', code: 'ERR_INTERNAL' });
    expect(await isSignedResponse(client, handshake, request, response)).toBe(true);
    expect(app.handled).toEqual([]);
    expect(app.outcomes).toEqual(['error']);
  });
});

test('conditional headers, which are not signed, have no effect', async () => {
  const request = await sign({ method: 'GET', headers: {}, body: '', path: '/echo' });
  request.headers['if-none-match'] = '*';
  request.headers['if-modified-since'] = new Date().toUTCString();
  expect((await sendSignedRequest(request)).status).toBe(200);
});

describe('bodies', () => {
  const oneSocket = () => new Agent({ keepAlive: true, maxSockets: 1 });

  /** Sends two requests over one connection. The rest of the first request must not disturb the second one. */
  async function thenAnother(first: SignedRequest, agent: Agent): Promise<[PlainResponse, PlainResponse]> {
    const options = { agent, path: first.path, method: first.method, headers: first.headers };
    const answer = await sendPlainRequest(first.url, options, first.body);
    const handled = app.handled.splice(0);
    expect(handled).toEqual([]);
    const next = await sign();
    const following = await sendPlainRequest(
      next.url,
      { agent, path: next.path, method: next.method, headers: next.headers },
      next.body,
    );
    app.handled.length = 0;
    return [answer, following];
  }

  test.each<[string, number, string, (request: SignedRequest) => void]>([
    [
      'a body that is too large by its content-length',
      413,
      'ERR_BODY_TOO_LARGE',
      (request) => (request.body = 'x'.repeat(LIMIT + 1)),
    ],
    [
      'a body that is too large, in chunks',
      413,
      'ERR_BODY_TOO_LARGE',
      (request) => {
        request.body = 'x'.repeat(LIMIT * 20);
        request.headers['transfer-encoding'] = 'chunked';
      },
    ],
    [
      'a compressed body',
      415,
      'ERR_UNSUPPORTED_ENCODING',
      (request) => {
        request.body = gzipSync('{"a":1}');
        request.headers['content-encoding'] = 'gzip';
      },
    ],
    [
      'a large body without auth headers',
      401,
      'UNAUTHORIZED',
      (request) => {
        request.body = 'x'.repeat(LIMIT * 20);
        request.headers = {};
      },
    ],
    [
      'a large body with a foreign session',
      401,
      'ERR_AUTH_FAILED',
      (request) => {
        request.body = 'x'.repeat(LIMIT);
        request.headers['x-bsv-auth-your-nonce'] = randomBytes(48).toString('base64');
      },
    ],
  ])('%s is refused, and the connection stays usable', async (_what, status, code, spoil) => {
    const request = await sign();
    spoil(request);
    const agent = oneSocket();
    const others = app.sockets.size;
    const [answer, following] = await thenAnother(request, agent);
    expectRefusal(answer, status, code);
    expect(following.status).toBe(200);
    expect(app.sockets.size).toBe(others + 1);
    agent.destroy();
  });

  test('a body is accepted at the limit, in chunks, and with the encoding "identity"', async () => {
    const body = 'x'.repeat(LIMIT);
    const whole = await sign({ body });
    expect((await sendSignedRequest(whole)).status).toBe(200);
    const chunked = await sign({ body });
    chunked.headers['transfer-encoding'] = 'chunked';
    chunked.headers['content-encoding'] = 'identity';
    expect(JSON.parse((await sendSignedRequest(chunked)).text)).toMatchObject({ length: LIMIT });
  });

  test('a client that waits for 100 Continue receives it', async () => {
    const { url, path, method, headers, body } = await sign();
    const status = await new Promise((resolve, reject) => {
      const req = httpRequest(url + path, {
        method,
        headers: { ...headers, expect: '100-continue', 'content-length': 7 },
      });
      req.on('error', reject);
      req.on('continue', () => req.end(body));
      req.on('response', (res) => {
        res.resume();
        resolve(res.statusCode);
      });
    });
    expect(status).toBe(200);
  });

  const rawHead = ({ method, path, headers }: SignedRequest, length: number) =>
    [
      `${method} ${path} HTTP/1.1`,
      'host: x',
      `content-length: ${length}`,
      ...Object.entries(headers).map(([n, v]) => `${n}: ${v}`),
      '',
      '',
    ].join('\r\n');

  /** A connection, with the sockets of both ends. */
  const open = async (): Promise<{ socket: Socket; serverSide: Socket }> => {
    const accepted = once(app.server, 'connection');
    const socket = connect(Number(new URL(app.url).port), '127.0.0.1');
    const [serverSide] = (await accepted) as [Socket];
    return { socket, serverSide };
  };

  test('an aborted upload leaves nothing behind', async () => {
    const request = await sign({ body: 'x'.repeat(1_000) });
    const { socket, serverSide } = await open();
    const aborted = app.nextOutcome('aborted');
    const closed = new Promise((resolve) => serverSide.once('close', resolve));
    app.server.once('request', () => socket.destroy()); // the server reads the body by then
    socket.write(`${rawHead(request, 1_000)}${'x'.repeat(500)}`);
    await Promise.all([aborted, closed]);
    expect(app.handled).toEqual([]);
    expect(claims).toEqual([]);
    expect(app.outcomes).toEqual(['aborted']);
  });

  test('an aborted handshake leaves nothing behind', async () => {
    const { socket } = await open();
    const aborted = app.nextOutcome('aborted');
    socket.end('POST /.well-known/auth HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{"version":', () =>
      socket.destroy(),
    );
    await aborted;
    expect(app.outcomes).toEqual(['aborted']);
  });

  test('a refused client that keeps sending slowly gets its response after a while, and is disconnected', async () => {
    jest.useFakeTimers({
      doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate', 'clearImmediate', 'Date', 'performance', 'hrtime'],
    });
    try {
      const { socket } = await open();
      const chunks: Buffer[] = [];
      socket.on('data', (chunk: Buffer) => chunks.push(chunk));
      const ended = once(socket, 'close');
      const refused = app.nextOutcome('unauthorized');
      socket.write('POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\nslow');
      await refused;
      jest.advanceTimersByTime(5_000);
      await ended;
      const answer = Buffer.concat(chunks).toString();
      expect(answer).toMatch(/^HTTP\/1\.1 401 /);
      expect(answer).toMatch(/\r\nconnection: close\r\n/i);
      expect(answer).toContain('"UNAUTHORIZED"');
    } finally {
      jest.useRealTimers();
    }
  });

  test('a client that disconnects before its response is signed causes no error', async () => {
    const request = await sign();
    const { socket, serverSide } = await open();
    const handling = new Promise<void>((resolve) => {
      whileHandling = async () => {
        resolve();
        const closed = new Promise((resolve) => serverSide.once('close', resolve));
        socket.destroy();
        await closed;
      };
    });
    socket.write(rawHead(request, 7) + String(request.body));
    await handling;
    expect((await sendSignedRequest(await sign({ path: '/nowhere' }))).status).toBe(404);
  });

  test('a request target that is not a path is refused', async () => {
    const request = await sign({ method: 'GET', path: '/echo', headers: {}, body: '' });
    request.path = 'http://other.example/echo';
    expectRefusal(await sendSignedRequest(request), 400, 'ERR_AUTH_MALFORMED');
  });

  test('a body parser before the middleware causes an error', async () => {
    const outer = express();
    const errors: string[] = [];
    outer.use(express.json());
    outer.use(createAuthMiddleware({ authenticator: app.authenticator, maxBodyBytes: LIMIT }).authenticate);
    const handler: express.ErrorRequestHandler = (error: Error, _req, res, _next) => {
      errors.push(error.message);
      res.status(500).end();
    };
    outer.use(handler);
    app.server.removeAllListeners('request').on('request', outer);
    expect((await sendSignedRequest(await sign())).status).toBe(500);
    expect(errors).toEqual(['The body was read already: put authentication before any body parser']);
  });
});

describe('POST /.well-known/auth', () => {
  const post = (body: string | Uint8Array, headers: Record<string, string> = { 'content-type': 'application/json' }) =>
    sendPlainRequest(`${app.url}/.well-known/auth`, { method: 'POST', headers }, body);

  test('answers in JSON and in headers', async () => {
    const request = createInitialRequest(client);
    const response = await post(JSON.stringify(request), {});
    const body = JSON.parse(response.text) as InitialResponse;
    expect(response.status).toBe(200);
    expect(body).toMatchObject({ messageType: 'initialResponse', yourNonce: request['initialNonce'] });
    expect(response.headers).toMatchObject({
      'content-type': 'application/json; charset=utf-8',
      'cache-control': 'no-store',
      'x-bsv-auth-version': '0.1',
      'x-bsv-auth-message-type': 'initialResponse',
      'x-bsv-auth-identity-key': app.authenticator.identityKey,
      'x-bsv-auth-your-nonce': request['initialNonce'],
      'x-bsv-auth-signature': Buffer.from(body.signature).toString('hex'),
    });
    expect(app.outcomes).toEqual(['handshake']);
  });

  const good = JSON.stringify(createInitialRequest(client));
  test.each<[string, string | Uint8Array]>([
    ['an empty body', ''],
    ['a body that is not JSON', '{"version":'],
    [
      'a body that is not UTF-8',
      Buffer.concat([Buffer.from(good.slice(0, -1)), Buffer.from(',"x":"\xff"}', 'latin1')]),
    ],
    ['null', 'null'],
    ['an array', `[${good}]`],
    ['a string', JSON.stringify(good)],
    ['__proto__', good.replace('{', '{"__proto__":{},')],
    ['another version', good.replace('0.1', '0.9')],
    ['a general message', good.replace('initialRequest', 'general')],
    ['self', good.replace(client.identityKey, 'self')],
    ['anyone', good.replace(client.identityKey, 'anyone')],
    ['an upper-case key', good.replace(client.identityKey, client.identityKey.toUpperCase())],
  ])('refuses %s', async (_what, body) => {
    expectRefusal(await post(body), 400, 'ERR_AUTH_MALFORMED');
    expect(app.outcomes).toEqual(['malformed']);
  });

  test("refuses the server's own identity, whose signed response could be sent back as a request of the server", async () => {
    const own = good.replace(client.identityKey, app.authenticator.identityKey);
    expectRefusal(await post(own), 401, 'ERR_AUTH_FAILED');
  });

  test('ignores requests for certificates', async () => {
    const odd = { ...createInitialRequest(client), requestedCertificates: 'none, please', certificates: 7 };
    expect((await post(JSON.stringify(odd))).status).toBe(200);
  });

  test('refuses more than 16 KB, and compressed bodies', async () => {
    const padded = (size: number) => good.replace('{', `{"pad":"${'x'.repeat(size - good.length - 9)}",`);
    expect(padded(16_384)).toHaveLength(16_384);
    expect((await post(padded(16_384))).status).toBe(200);
    expectRefusal(await post(padded(16_385)), 413, 'ERR_BODY_TOO_LARGE');
    expectRefusal(await post(gzipSync(good), { 'content-encoding': 'gzip' }), 415, 'ERR_UNSUPPORTED_ENCODING');
  });
});
