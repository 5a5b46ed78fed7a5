import { randomBytes } from 'node:crypto';
import { createAuthenticator, loadCurve } from '@messagebox/brc103';
import { type Answer, encodeRequestPayload, RawClient, Session } from '@messagebox/test-support/raw-client';
import { LiveTestBed } from '../bad-input/live-world.ts';

/** The server's own identity is nobody's client: what it signs must never be taken for a request of its own. */
let live: LiveTestBed;
beforeAll(async () => {
  live = await LiveTestBed.start();
});
afterEach(() => live.closeSockets());
afterAll(() => live.close());

/** A handshake that names the server's key, its nonce chosen as the beginning of a request's payload. */
function reflected(): { message: Record<string, unknown>; initialNonce: string } {
  const payload = encodeRequestPayload(randomBytes(32), 'GET', '/devices', [], undefined);
  const initialNonce = payload.subarray(0, 48).toString('base64');
  const { identityKey } = live.http.server;
  return { initialNonce, message: { ...new RawClient().initialRequest(), identityKey, initialNonce } };
}

/** A session of the server with itself, as it would mint it: the keys of its database and environment are known. */
function sessionWithItself(): Session {
  const { privateKey, identityKey } = live.http.server;
  const { nonce } = createAuthenticator({ privateKey, curve: loadCurve() }).mintSession(identityKey);
  return new Session(new RawClient(privateKey), identityKey, nonce, randomBytes(48).toString('base64'));
}

test('a handshake over HTTP that names the server itself is refused', async () => {
  const answer: Answer = await live.http.send({
    method: 'POST',
    path: '/.well-known/auth',
    headers: [['Content-Type', 'application/json']],
    body: Buffer.from(JSON.stringify(reflected().message)),
  });
  expect(answer.status).toBe(401);
  expect(JSON.parse(answer.text)).toMatchObject({ status: 'error', code: 'ERR_AUTH_FAILED' });
  expect(answer.text).not.toContain('signature');
});

test('a handshake on a socket that names the server itself is refused', async () => {
  const socket = await live.open();
  await live.refusedFrame(socket, () => socket.send(reflected().message), 'ERR_AUTH_FAILED');
});

test.each([
  ['GET', '/devices'],
  ['GET', '/permissions/list?messageBox=inbox'],
  ['GET', '/admin/fees'],
  ['GET', '/overlay/ads'],
])('%s %s signed with the key of the server itself is refused', async (method, path) => {
  await live.http.expectRefused(sessionWithItself().sign({ method, path }), 'ERR_AUTH_FAILED');
});

test('an event signed with the key of the server itself is refused', async () => {
  const socket = await live.open();
  const { identityKey } = live.http.server;
  const event = sessionWithItself().event('authenticated', { identityKey });
  await live.refusedFrame(socket, () => socket.send(event), 'ERR_AUTH_FAILED');
});
