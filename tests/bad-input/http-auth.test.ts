import { randomBytes } from 'node:crypto';
import { createAuthenticator, loadCurve } from '@messagebox/brc103';
import { getHeader, RawClient, Session, type WireRequest, withHeader } from '@messagebox/test-support/raw-client';
import { createUniqueId, HttpTestBed, SECRET } from './refusals.ts';

let world: HttpTestBed;
beforeAll(async () => {
  world = await HttpTestBed.start();
});
afterAll(() => world.close());

const authHeaders = ['version', 'identity-key', 'nonce', 'your-nonce', 'signature', 'request-id'] as const;
type AuthHeader = (typeof authHeaders)[number];
const named = (name: AuthHeader) => `x-bsv-auth-${name}`;

/** A session nonce that an authenticator other than the running server's made for the sender. */
function nonceFrom(options: { privateKey?: Uint8Array; secret?: Uint8Array; minutesAgo?: number }): string {
  const { response } = createAuthenticator({
    privateKey: options.privateKey ?? world.server.privateKey,
    ...(options.secret && { sessionSecrets: [options.secret] }),
    curve: loadCurve(),
    now: () => Date.now() - (options.minutesAgo ?? 0) * 60_000,
  }).answerHandshake({ ...world.sender.client.initialRequest(), initialNonce: world.sender.clientNonce });
  return response.initialNonce;
}

test('accepts the request without tampering', async () => {
  const messageId = createUniqueId();
  await world.expectAccepted(world.sendMessage(world.message({ messageId })));
  expect(await world.list()).toContainEqual(
    expect.objectContaining({ messageId, body: SECRET, sender: world.sender.client.identityKey }),
  );
});

describe('auth headers', () => {
  test('refuses a request without any auth header', async () => {
    const { headers, ...rest } = world.sendMessage();
    const bare = { ...rest, headers: headers.filter(([name]) => !name.startsWith('x-bsv-')) };
    const answer = await world.expectRefused(bare, 'UNAUTHORIZED');
    expect(JSON.parse(answer.text)).toEqual({
      status: 'error',
      code: 'UNAUTHORIZED',
      message: 'Mutual-authentication failed!',
    });
  });

  test.each(authHeaders)('refuses a request without %s', async (name) => {
    await world.expectRefused(withHeader(world.sendMessage(), named(name)), 'ERR_AUTH_MALFORMED');
  });

  test.each(authHeaders)('refuses an empty %s', async (name) => {
    await world.expectRefused(withHeader(world.sendMessage(), named(name), ''), 'ERR_AUTH_MALFORMED');
  });

  test.each(authHeaders)('refuses %s of 10 KB', async (name) => {
    const request = world.sendMessage();
    const value = getHeader(request, named(name));
    const long = value.repeat(Math.ceil(10_240 / value.length));
    await world.expectRefused(withHeader(request, named(name), long), 'ERR_AUTH_MALFORMED');
  });

  test.each(authHeaders)('refuses %s on two lines, equal or not', async (name) => {
    const request = world.sendMessage();
    const value = getHeader(request, named(name));
    const other = getHeader(world.sendMessage(), named(name));
    await world.expectRefused(withHeader(request, named(name), value, value), 'ERR_AUTH_MALFORMED');
    await world.expectRefused(withHeader(request, named(name), value, other), 'ERR_AUTH_MALFORMED');
    await world.expectRefused(withHeader(request, named(name), other, value), 'ERR_AUTH_MALFORMED');
  });

  test.each(authHeaders)('refuses %s with two values in one line', async (name) => {
    const request = world.sendMessage();
    const value = getHeader(request, named(name));
    await world.expectRefused(withHeader(request, named(name), `${value}, ${value}`), 'ERR_AUTH_MALFORMED');
  });

  test.each<[AuthHeader, string, (value: string) => string]>([
    ['version', 'of the future', () => '0.2'],
    ['version', 'as a word', () => 'latest'],
    ['version', 'as another number', () => '0.10'],
    ['identity-key', '"self"', () => 'self'],
    ['identity-key', '"anyone"', () => 'anyone'],
    ['identity-key', 'in upper case', (value) => value.toUpperCase()],
    ['identity-key', 'uncompressed', () => `04${'11'.repeat(64)}`],
    ['identity-key', 'too short', (value) => value.slice(2)],
    ['identity-key', 'not hex', (value) => `0x${value.slice(2)}`],
    ['nonce', 'not base64', () => '!'.repeat(44)],
    ['nonce', 'URL-safe base64', () => '-_'.repeat(22)],
    ['nonce', 'without padding', (value) => value.replace(/=+$/, '')],
    ['nonce', 'with unused bits set', (value) => value.replace(/.=$/, 'B=')],
    ['nonce', 'of 8 bytes', () => Buffer.alloc(8).toString('base64')],
    ['your-nonce', 'not base64', () => '%00'.repeat(20)],
    ['your-nonce', 'of 8 bytes', () => Buffer.alloc(8).toString('base64')],
    ['your-nonce', 'with padding', (value) => `${value}====`],
    ['your-nonce', 'in URL-safe base64', (value) => `-_${value.slice(2)}`],
    ['signature', 'not hex', (value) => `zz${value.slice(2)}`],
    ['signature', 'of odd length', (value) => value.slice(1)],
    ['signature', 'in upper case', (value) => value.toUpperCase()],
    ['signature', 'as base64', (value) => Buffer.from(value, 'hex').toString('base64')],
    ['request-id', 'of 31 bytes', () => Buffer.alloc(31).toString('base64')],
    ['request-id', 'of 33 bytes', () => Buffer.alloc(33).toString('base64')],
    ['request-id', 'not base64', () => 'request'],
  ])('%s %s', async (name, _how, tamper) => {
    const request = world.sendMessage();
    const tampered = tamper(getHeader(request, named(name)));
    expect(tampered).not.toBe(getHeader(request, named(name)));
    await world.expectRefused(withHeader(request, named(name), tampered), 'ERR_AUTH_MALFORMED');
  });

  test.each<[AuthHeader, string, (value: string) => string]>([
    ['identity-key', "another user's", () => world.recipient.client.identityKey],
    ['identity-key', "the server's", () => world.server.identityKey],
    ['identity-key', 'not on the curve', () => `02${'ff'.repeat(32)}`],
    ['nonce', 'of another request', () => getHeader(world.sendMessage(), named('nonce'))],
    ['request-id', 'of another request', () => getHeader(world.sendMessage(), named('request-id'))],
    ['your-nonce', "of another user's session", () => world.recipient.serverNonce],
    ['your-nonce', 'forged', () => Buffer.alloc(48, 2).toString('base64')],
    ['your-nonce', 'of 47 bytes', (value) => Buffer.from(value, 'base64').subarray(0, 47).toString('base64')],
    ['your-nonce', 'of 49 bytes', (value) => Buffer.from(`${value}AA==`, 'base64').toString('base64')],
    ['your-nonce', 'in hex', (value) => Buffer.from(value, 'base64').toString('hex')],
    ['your-nonce', 'of 120 bytes', () => randomBytes(120).toString('base64')],
    ['your-nonce', 'truncated', (value) => Buffer.from(value, 'base64').subarray(0, -3).toString('base64')],
    ['your-nonce', 'with a bit changed', (value) => flipped(value, 'base64')],
    ['signature', 'of another request', () => getHeader(world.sendMessage(), named('signature'))],
    ['signature', 'with a bit changed', (value) => flipped(value, 'hex')],
    ['signature', 'one byte long', () => '30'],
    ['signature', 'of zeros', () => '3006020100020100'],
  ])('%s %s', async (name, _how, tamper) => {
    const request = world.sendMessage();
    await world.expectRefused(
      withHeader(request, named(name), tamper(getHeader(request, named(name)))),
      'ERR_AUTH_FAILED',
    );
  });
});

describe('session nonces that are not valid here and now', () => {
  test.each<[string, () => string]>([
    ['of a server with another key', () => nonceFrom({ privateKey: new RawClient().privateKey })],
    ['of this server under another secret', () => nonceFrom({ secret: new RawClient().privateKey })],
    ['older than a session lives', () => nonceFrom({ minutesAgo: 61 })],
    ['from the future', () => nonceFrom({ minutesAgo: -2 })],
  ])('%s', async (_name, nonce) => {
    const request = world.sender.under(nonce()).post('/sendMessage', world.message());
    const answer = await world.expectRefused(request, 'ERR_AUTH_FAILED');
    expect(JSON.parse(answer.text)).toMatchObject({ description: 'Session not found for nonce' });
  });

  test('refuses a nonce of this server whose client nonce was never stored', async () => {
    const request = world.sender.under(nonceFrom({})).post('/sendMessage', world.message());
    const answer = await world.expectRefused(request, 'ERR_AUTH_FAILED');
    expect(JSON.parse(answer.text)).toMatchObject({ description: 'Session not found for nonce' });
  });

  test("refuses a nonce of the server's own identity, signed with its own key", async () => {
    const own = new RawClient(world.server.privateKey);
    const { nonce } = createAuthenticator({
      privateKey: world.server.privateKey,
      curve: loadCurve(),
    }).mintSession(own.identityKey);
    const session = new Session(own, own.identityKey, nonce, world.sender.clientNonce);
    await world.expectRefused(session.post('/sendMessage', world.message()), 'ERR_AUTH_FAILED');
  });
});

describe('another session', () => {
  test('signs only for its own identity', async () => {
    const stranger = await new RawClient().shakeHands(world.server.port);
    const request = stranger.post('/sendMessage', world.message());
    const asSender = withHeader(request, named('identity-key'), world.sender.client.identityKey);
    await world.expectRefused(asSender, 'ERR_AUTH_FAILED');
    const underSenders = withHeader(asSender, named('your-nonce'), world.sender.serverNonce);
    await world.expectRefused(underSenders, 'ERR_AUTH_FAILED');
  });

  test("does not list or acknowledge another user's messages", async () => {
    const messageId = createUniqueId();
    await world.expectAccepted(world.sendMessage(world.message({ messageId })));
    await world.expectRefused(
      world.sender.post('/acknowledgeMessage', { messageIds: [messageId] }),
      'ERR_INVALID_ACKNOWLEDGMENT',
    );
    expect(await world.list('inbox', world.sender)).toEqual([]);
  });
});

describe('changes after signing', () => {
  const box = 'signed?';
  const tampering: [string, (request: WireRequest) => WireRequest][] = [
    ['the body', (request) => ({ ...request, body: swap(request.body, SECRET, SECRET.toUpperCase()) })],
    [
      'the body, by white space',
      (request) => ({ ...request, body: Buffer.concat([request.body ?? Buffer.of(), Buffer.from(' ')]) }),
    ],
    ['the body, taken away', (request) => ({ ...request, body: Buffer.alloc(0) })],
    ['the route', (request) => ({ ...request, path: '/listMessages' })],
    ['the spelling of the path', (request) => ({ ...request, path: '/sendmessage' })],
    ['the end of the path', (request) => ({ ...request, path: '/sendMessage/' })],
    ['the path, percent-encoded', (request) => ({ ...request, path: '/%73endMessage' })],
    ['a query', (request) => ({ ...request, path: '/sendMessage?a=1' })],
    ['an empty query', (request) => ({ ...request, path: '/sendMessage?' })],
    ['a fragment', (request) => ({ ...request, path: '/sendMessage#a' })],
    ['the method', (request) => ({ ...request, method: 'PUT' })],
    ['the content type', (request) => withHeader(request, 'content-type', 'text/plain')],
    ['the content type, taken away', (request) => withHeader(request, 'content-type')],
    ['a header x-bsv-*', (request) => withHeader(request, 'x-bsv-payment', '1')],
    ['a header authorization', (request) => withHeader(request, 'authorization', 'Bearer 1')],
  ];
  test.each(tampering)('%s', async (_name, tamper) => {
    await world.expectRefused(tamper(world.sendMessage(world.message({ messageBox: box }))), 'ERR_AUTH_FAILED');
    expect(await world.list(box)).toEqual([]);
  });

  test('refuses two content types when the signature covers one', async () => {
    const request = world.sendMessage();
    await world.expectRefused(
      withHeader(request, 'content-type', 'application/json', 'text/plain'),
      'ERR_AUTH_MALFORMED',
    );
  });

  test('refuses a target that is a whole URL', async () => {
    const request = world.sendMessage();
    await world.expectRefused({ ...request, path: `${world.server.url}${request.path}` }, 'ERR_AUTH_MALFORMED');
  });

  describe.each([
    'Application/JSON; Charset=UTF-8',
    'application/json;charset=utf-8',
    'application/json ; x="a;b"',
    'application/json;',
  ])('with content-type %j', (type) => {
    const signed = (message: object): WireRequest =>
      world.sender.sign({
        path: '/sendMessage',
        headers: [['Content-Type', type]],
        body: Buffer.from(JSON.stringify(message)),
      });

    test('accepts a body as it was signed', async () => {
      const messageId = createUniqueId();
      expect(await world.expectAccepted(signed(world.message({ messageId })))).toMatchObject({
        status: 'success',
        messageId,
      });
    });

    test('refuses a changed body', async () => {
      const request = signed(world.message());
      await world.expectRefused({ ...request, body: swap(request.body, SECRET, 'changed') }, 'ERR_AUTH_FAILED');
    });

    test('refuses an added body', async () => {
      const request = world.sender.sign({ path: '/sendMessage', headers: [['Content-Type', type]] });
      await world.expectRefused({ ...request, body: Buffer.from(JSON.stringify(world.message())) }, 'ERR_AUTH_FAILED');
    });
  });

  describe.each([undefined, 'text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data', '', 'nonsense'])(
    'with content-type %j',
    (type) => {
      const signed = (): WireRequest =>
        world.sender.sign({
          path: '/sendMessage',
          headers: type === undefined ? [] : [['Content-Type', type]],
          body: Buffer.from(JSON.stringify(world.message())),
        });

      test('reads the signed body as JSON', async () => {
        await world.expectAccepted(signed());
      });

      test('refuses a changed body', async () => {
        const request = signed();
        await world.expectRefused({ ...request, body: swap(request.body, SECRET, 'changed') }, 'ERR_AUTH_FAILED');
      });
    },
  );
});

describe('a repeated request', () => {
  test('has no effect, even when its message was acknowledged in the meantime', async () => {
    const messageId = createUniqueId();
    const request = world.sendMessage(world.message({ messageId, messageBox: 'once' }));
    await world.expectAccepted(request);
    await world.expectRefused(request, 'ERR_AUTH_FAILED');
    const acknowledge = world.recipient.post('/acknowledgeMessage', { messageIds: [messageId] });
    await world.expectAccepted(acknowledge, world.recipient);
    await world.expectRefused(request, 'ERR_AUTH_FAILED');
    await world.expectRefused(acknowledge, 'ERR_AUTH_FAILED', world.recipient);
    expect(await world.list('once')).toEqual([]);
  });

  test('is refused, even when its content was refused before', async () => {
    const request = world.sendMessage({ message: null });
    await world.expectRefused(request, 'ERR_MESSAGE_REQUIRED');
    await world.expectRefused(request, 'ERR_AUTH_FAILED');
  });

  test('one of many at once is accepted', async () => {
    const request = world.sendMessage(world.message({ messageBox: 'race' }));
    const answers = await Promise.all(Array.from({ length: 10 }, () => world.send(request)));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, ...Array<number>(9).fill(401)]);
    expect(await world.list('race')).toHaveLength(1);
  });
});

test('a request after its session has ended is refused; a new handshake serves the same identity', async () => {
  const clock = jest.spyOn(Date, 'now');
  const mortal = await HttpTestBed.start({ SESSION_LIFE_SECONDS: '60' });
  try {
    const request = mortal.sendMessage();
    const later = Date.now() + 60_001;
    clock.mockImplementation(() => later);
    const mark = mortal.server.log.length;
    mortal.expectRefusal(await mortal.send(request), 'ERR_AUTH_FAILED');
    mortal.expectOneLine(mark, 'ERR_AUTH_FAILED', request);
    const again: Session = await mortal.sender.client.shakeHands(mortal.server.port);
    await mortal.expectAccepted(again.post('/sendMessage', mortal.message()), again);
    expect(await mortal.server.rows()).toMatchObject({ messages: 1 });
  } finally {
    clock.mockRestore();
    await mortal.close();
  }
});

function swap(body: Uint8Array | undefined, from: string, to: string): Buffer {
  const text = Buffer.from(body ?? '').toString();
  if (!text.includes(from)) throw new Error(`nothing to tamper with in ${text}`);
  return Buffer.from(text.replace(from, to));
}

function flipped(value: string, encoding: 'hex' | 'base64'): string {
  const bytes = Buffer.from(value, encoding);
  const at = bytes.length - 5;
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  return bytes.toString(encoding);
}
