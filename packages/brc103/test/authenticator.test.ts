import { randomBytes } from 'node:crypto';
import { type AuthMessage, Peer, type Transport } from '@bsv/sdk';
import { type Authenticator, createAuthenticator, type IssuedSession, type Session } from '../src/authenticator.js';
import { loadCurve } from '../src/curve/load-curve.js';
import { encodeDer } from '../src/der.js';
import { AuthFailedError, MalformedAuthError, SessionNotFoundError } from '../src/errors.js';
import { SdkClient, signWithSdk, verifyWithSdk } from './support/sdk-client.js';

const PRIVATE_KEY = Buffer.alloc(32, 7);
const HOUR = 3_600_000;
const client = new SdkClient();
const clock = { now: 1_768_600_000_000 };
const make = (options: Partial<Parameters<typeof createAuthenticator>[0]> = {}): Authenticator =>
  createAuthenticator({ privateKey: PRIVATE_KEY, curve: loadCurve(), now: () => clock.now, ...options });
const clientNonce = () => randomBytes(48).toString('base64');
const initialRequest = (changes: Record<string, unknown> = {}) => ({
  version: '0.1',
  messageType: 'initialRequest',
  identityKey: client.identityKey,
  initialNonce: clientNonce(),
  requestedCertificates: { certifiers: [], types: {} },
  ...changes,
});
const shakeHands = (authenticator: Authenticator): Session => authenticator.answerHandshake(initialRequest()).session;
/** The part of a session that its nonce proves: everything except the client's nonce. */
const opened = ({ nonce, handle, identityKey, issuedAt }: Session): IssuedSession => ({
  nonce,
  handle,
  identityKey,
  issuedAt,
});

beforeEach(() => {
  clock.now = 1_768_600_000_000;
});

describe.each(['native', 'wasm'] as const)('with %s', (name) => {
  const authenticator = make({ curve: loadCurve(name) });

  test('answers a handshake as BRC-103 requires', async () => {
    const request = initialRequest();
    const { response, session } = authenticator.answerHandshake(request);
    expect(response).toEqual({
      version: '0.1',
      messageType: 'initialResponse',
      identityKey: authenticator.identityKey,
      initialNonce: session.nonce,
      yourNonce: request.initialNonce,
      requestedCertificates: { certifiers: [], types: {} },
      signature: expect.any(Array),
    });
    expect(session).toEqual({
      nonce: response.initialNonce,
      handle: expect.any(Buffer),
      identityKey: client.identityKey,
      clientNonce: request.initialNonce,
      issuedAt: clock.now,
    });
    const data = [...Buffer.from(request.initialNonce, 'base64'), ...Buffer.from(session.nonce, 'base64')];
    const keyID = `${request.initialNonce} ${session.nonce}`;
    expect(await verifyWithSdk(client.wallet, data, response.signature, keyID, authenticator.identityKey)).toBe(true);
    expect(authenticator.verifySessionNonce(session.nonce, client.identityKey)).toEqual(opened(session));
  });

  test('verifies general messages of the client and signs its own', async () => {
    const session = shakeHands(authenticator);
    const payload = randomBytes(100);
    const nonce = randomBytes(32).toString('base64');
    const signature = await signWithSdk(
      client.wallet,
      [...payload],
      `${nonce} ${session.nonce}`,
      authenticator.identityKey,
    );
    authenticator.verifyGeneral(session, nonce, payload, Buffer.from(signature));

    const answer = authenticator.signGeneral(session, payload);
    expect(Buffer.from(answer.nonce, 'base64')).toHaveLength(32);
    const keyID = `${answer.nonce} ${session.clientNonce}`;
    expect(
      await verifyWithSdk(client.wallet, [...payload], [...answer.signature], keyID, authenticator.identityKey),
    ).toBe(true);
  });

  test("accepts the client's answer to an initialRequest of the server as a proof of its key", async () => {
    const session = authenticator.mintSession(client.identityKey);
    // The SDK's Peer answers an initialRequest like this.
    const sent: AuthMessage[] = [];
    let deliver: (message: AuthMessage) => Promise<void> = async () => {};
    const transport: Transport = {
      send: async (message) => void sent.push(message),
      onData: async (callback) => {
        deliver = callback;
      },
    };
    new Peer(client.wallet, transport);
    await deliver({
      version: '0.1',
      messageType: 'initialRequest',
      identityKey: authenticator.identityKey,
      initialNonce: session.nonce,
      requestedCertificates: { certifiers: [], types: {} },
    });
    const [answer] = sent;
    const nonce = answer?.initialNonce ?? '';
    const signature = Buffer.from(answer?.signature ?? []);
    authenticator.verifyInitialResponse(session, nonce, signature);
    expect(() => authenticator.verifyInitialResponse(session, clientNonce(), signature)).toThrow(AuthFailedError);
    expect(() => authenticator.verifyInitialResponse(shakeHands(authenticator), nonce, signature)).toThrow(
      AuthFailedError,
    );
    expect(() => authenticator.verifyInitialResponse(session, 'x', signature)).toThrow(MalformedAuthError);
  });

  test('refuses a message with another key, nonce, session or payload', async () => {
    const session = shakeHands(authenticator);
    const payload = Buffer.from('hello');
    const nonce = randomBytes(32).toString('base64');
    const keyID = `${nonce} ${session.nonce}`;
    const good = Buffer.from(await signWithSdk(client.wallet, [...payload], keyID, authenticator.identityKey));
    const stranger = Buffer.from(
      await signWithSdk(new SdkClient().wallet, [...payload], keyID, authenticator.identityKey),
    );
    const otherSession = shakeHands(authenticator);
    const otherNonce = randomBytes(32).toString('base64');
    const cases: [Session, string, Buffer, Uint8Array][] = [
      [session, nonce, payload, stranger],
      [session, otherNonce, payload, good],
      [otherSession, nonce, payload, good],
      [{ ...session, identityKey: new SdkClient().identityKey }, nonce, payload, good],
      [session, nonce, Buffer.from('hellO'), good],
      [session, nonce, payload, Buffer.alloc(0)],
      [session, nonce, payload, Buffer.alloc(1_000)],
      [session, nonce, payload, good.subarray(1)],
      [session, nonce, payload, encodeDer(Buffer.alloc(64, 0xff))],
    ];
    for (const args of cases) expect(() => authenticator.verifyGeneral(...args)).toThrow(AuthFailedError);
    for (const bad of ['', 'x', `${nonce} `, nonce.replace('=', ''), 'A'.repeat(2_000), 'AAAA']) {
      expect(() => authenticator.verifyGeneral(session, bad, payload, good)).toThrow(MalformedAuthError);
    }
  });
});

describe('a handshake', () => {
  const authenticator = make();
  const uncompressed = String(client.privateKey.toPublicKey().encode(false, 'hex'));
  const cases: [string, unknown][] = [
    ...[null, undefined, 1, 'text', true, [], [initialRequest()], {}, () => {}].map((value): [string, unknown] => [
      `the value ${typeof value} ${JSON.stringify(value)?.slice(0, 12)}`,
      value,
    ]),
    ...[
      'self',
      'anyone',
      '',
      client.identityKey.toUpperCase(),
      uncompressed,
      `02${'0'.repeat(62)}05`,
      null,
      5,
      {},
      [],
    ].map((identityKey): [string, unknown] => [
      `identityKey ${JSON.stringify(identityKey).slice(0, 20)}`,
      initialRequest({ identityKey }),
    ]),
    ...[15, 129, 0].map((size): [string, unknown] => [
      `a nonce of ${size} bytes`,
      initialRequest({ initialNonce: randomBytes(size).toString('base64') }),
    ]),
    ...['x', ' '.repeat(64), `${clientNonce()} `, '-_'.repeat(32), null, 5, ['A'.repeat(64)], { length: 64 }].map(
      (initialNonce): [string, unknown] => [
        `nonce ${JSON.stringify(initialNonce).slice(0, 20)}`,
        initialRequest({ initialNonce }),
      ],
    ),
    ...['0.2', '', 0.1, null, undefined, ['0.1']].map((version): [string, unknown] => [
      `version ${JSON.stringify(version)}`,
      initialRequest({ version }),
    ]),
    ...['general', 'initialResponse', 'INITIALREQUEST', null, undefined, 1].map((messageType): [string, unknown] => [
      `messageType ${JSON.stringify(messageType)}`,
      initialRequest({ messageType }),
    ]),
    ['an inherited request', Object.create(initialRequest())],
    ['__proto__ from JSON', JSON.parse(JSON.stringify(initialRequest()).replace('{', '{"__proto__":{"a":1},'))],
    ['only __proto__', JSON.parse(`{"__proto__":${JSON.stringify(initialRequest())}}`)],
    ['a constructor', JSON.parse(JSON.stringify(initialRequest()).replace('{', '{"constructor":1,'))],
    ['too many fields', initialRequest(Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`f${i}`, i])))],
  ];

  test.each(cases)('is refused: %s', (_what, message) => {
    expect(() => authenticator.answerHandshake(message)).toThrow(MalformedAuthError);
  });

  test('is answered whatever it says about certificates', () => {
    const odd = ['x', [], 5, { certifiers: 'x' }, { types: [] }, { certifiers: Array(101).fill('x') }];
    for (const requestedCertificates of [undefined, null, {}, { certifiers: ['a'], types: { b: ['c'] } }, ...odd]) {
      expect(authenticator.answerHandshake(initialRequest({ requestedCertificates })).session.issuedAt).toBe(clock.now);
    }
    expect(authenticator.answerHandshake(initialRequest({ certificates: [] })).session.issuedAt).toBe(clock.now);
  });
});

describe('a session', () => {
  test('verifies at any age', () => {
    const authenticator = make();
    const session = shakeHands(authenticator);
    expect(authenticator.getAgeMs(session)).toBe(0);
    clock.now += 30 * 24 * HOUR;
    expect(authenticator.verifySessionNonce(session.nonce, client.identityKey)).toEqual(opened(session));
    expect(authenticator.getAgeMs(session)).toBe(30 * 24 * HOUR);
    expect(authenticator.sessionLifetimeMs).toBe(HOUR);
  });

  test('verifies on an instance whose clock is behind by up to a minute, and not by more', () => {
    const authenticator = make();
    const session = shakeHands(authenticator);
    clock.now -= 60_000;
    expect(authenticator.getAgeMs(authenticator.verifySessionNonce(session.nonce, client.identityKey))).toBe(-60_000);
    clock.now -= 1;
    expect(() => authenticator.verifySessionNonce(session.nonce, client.identityKey)).toThrow(SessionNotFoundError);
  });

  test('is minted for a known client', () => {
    const authenticator = make();
    const session = shakeHands(authenticator);
    clock.now += 5_000;
    const minted = authenticator.mintSession(client.identityKey);
    expect(minted).toMatchObject({ identityKey: client.identityKey, issuedAt: clock.now });
    expect(minted.nonce).not.toBe(session.nonce);
    expect(authenticator.verifySessionNonce(minted.nonce, client.identityKey)).toEqual(minted);
  });

  test('is not found for another identity', () => {
    const authenticator = make();
    const session = shakeHands(authenticator);
    const stranger = new SdkClient().identityKey;
    expect(() => authenticator.verifySessionNonce(session.nonce, stranger)).toThrow(SessionNotFoundError);
  });

  test("is never that of the server's own identity", () => {
    const authenticator = make();
    const own = authenticator.identityKey;
    expect(() => authenticator.answerHandshake(initialRequest({ identityKey: own }))).toThrow(AuthFailedError);
    const { nonce } = authenticator.mintSession(own);
    expect(() => authenticator.verifySessionNonce(nonce, own)).toThrow(SessionNotFoundError);
  });

  test('verifies on every instance with the same keys, and on no other', () => {
    const session = shakeHands(make());
    expect(make().verifySessionNonce(session.nonce, client.identityKey)).toEqual(opened(session));
    expect(make({ curve: loadCurve('wasm') }).verifySessionNonce(session.nonce, client.identityKey)).toEqual(
      opened(session),
    );
    expect(() =>
      make({ privateKey: Buffer.alloc(32, 8) }).verifySessionNonce(session.nonce, client.identityKey),
    ).toThrow(SessionNotFoundError);
    const secret = Buffer.alloc(32, 9);
    expect(() => make({ sessionSecrets: [secret] }).verifySessionNonce(session.nonce, client.identityKey)).toThrow(
      SessionNotFoundError,
    );
    const withSecret = shakeHands(make({ sessionSecrets: [secret] }));
    expect(
      make({ sessionSecrets: [Buffer.alloc(32, 10), secret] }).verifySessionNonce(withSecret.nonce, client.identityKey),
    ).toEqual(opened(withSecret));
    // The same secret with another server identity.
    const other = make({ privateKey: Buffer.alloc(32, 8), sessionSecrets: [secret] });
    expect(() => other.verifySessionNonce(withSecret.nonce, client.identityKey)).toThrow(SessionNotFoundError);
  });
});

test('refuses options that cannot work', () => {
  expect(() => make({ privateKey: Buffer.alloc(32) })).toThrow();
  expect(() => make({ sessionSecrets: [] })).toThrow();
  expect(() => make({ sessionSecrets: [Buffer.alloc(16, 1)] })).toThrow();
  for (const sessionLifetimeMs of [0, -1, Number.NaN]) expect(() => make({ sessionLifetimeMs })).toThrow();
});
