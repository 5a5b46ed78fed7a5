import { AuthError, createAuthenticator, loadCurve } from '@messagebox/brc103';
import { RawClient } from '@messagebox/test-support/raw-client';
import fc from 'fast-check';
import { fuzzTest } from './support/fuzz-test.js';
import { mutatedBytes, mutatedJson } from './support/mutations.js';

const NOW = 1_800_000_000_000;
const parts = { privateKey: Buffer.alloc(32, 7), curve: loadCurve(), now: () => NOW };
const authenticator = createAuthenticator(parts);
const [alice, bob] = [1, 2].map((byte) => new RawClient(Buffer.alloc(32, byte))) as [RawClient, RawClient];

const begin = (client: RawClient) => authenticator.answerHandshake(client.initialRequest()).session;
const nonce = begin(alice).nonce;

/** What was thrown, or undefined. */
function catchError(work: () => unknown): unknown {
  try {
    work();
    return undefined;
  } catch (error) {
    return error;
  }
}

fuzzTest(
  'a minted nonce is accepted for its identity and no other',
  200,
  fc.uint8Array({ minLength: 32, maxLength: 32 }),
  (key) => {
    // 0 and numbers above the order are no keys; these bytes never are.
    const client = new RawClient(Uint8Array.of(1, ...key.subarray(1)));
    const session = begin(client);
    expect(Buffer.from(session.nonce, 'base64')).toHaveLength(48);
    expect(authenticator.verifySessionNonce(session.nonce, client.identityKey)).toMatchObject({
      handle: session.handle,
      issuedAt: NOW,
    });
    for (const other of [alice, bob]) {
      expect(catchError(() => authenticator.verifySessionNonce(session.nonce, other.identityKey))).toBeInstanceOf(
        AuthError,
      );
    }
  },
);

fuzzTest('a nonce with any changed byte is unknown', 1_000, mutatedBytes([Buffer.from(nonce, 'base64')]), (bytes) => {
  const changed = bytes.toString('base64');
  if (changed === nonce) return; // changes may undo each other
  const error = catchError(() => authenticator.verifySessionNonce(changed, alice.identityKey));
  expect(error).toMatchObject({ code: 'ERR_AUTH_FAILED', message: 'Session not found for nonce' });
});

fuzzTest(
  'a nonce in any other spelling is unknown',
  1_000,
  mutatedBytes([Buffer.from(nonce)]).map((bytes) => bytes.toString('latin1')),
  (text) => {
    if (text === nonce) return;
    const error = catchError(() => authenticator.verifySessionNonce(text, alice.identityKey));
    expect(error).toMatchObject({ code: 'ERR_AUTH_FAILED', message: 'Session not found for nonce' });
  },
);

fuzzTest('any text as an identity is refused', 500, fc.string({ unit: 'binary', maxLength: 70 }), (identity) => {
  expect(catchError(() => authenticator.verifySessionNonce(nonce, identity))).toBeInstanceOf(AuthError);
});

fuzzTest(
  'any handshake is answered or refused',
  1_000,
  mutatedJson([alice.initialRequest(), { ...bob.initialRequest(), extra: {} }]),
  (request) => {
    let answer: ReturnType<typeof authenticator.answerHandshake>;
    try {
      answer = authenticator.answerHandshake(request);
    } catch (error) {
      expect(error).toBeInstanceOf(AuthError);
      return;
    }
    const { identityKey, initialNonce } = request as { identityKey: string; initialNonce: string };
    expect([alice.identityKey, bob.identityKey]).toContain(identityKey);
    expect(answer.session).toMatchObject({ identityKey, clientNonce: initialNonce });
    expect(answer.response.yourNonce).toBe(initialNonce);
  },
);
