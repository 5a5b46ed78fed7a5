import { randomBytes } from 'node:crypto';
import { createAuthenticator, type Session } from '../src/authenticator.js';
import { loadCurve } from '../src/curve/load-curve.js';
import { ClientNonces, type FoundSession } from '../src/http/client-nonces.js';
import { MemoryNonceStore } from './support/memory-nonce-store.js';
import { SdkClient } from './support/sdk-client.js';
import { createInitialRequest } from './support/signed-request.js';

const UNPROVEN_LIFE_MS = 120_000;
const START = 1_768_600_000_000;
const client = new SdkClient();
const clock = { now: START };
const authenticator = createAuthenticator({
  privateKey: Buffer.alloc(32, 7),
  curve: loadCurve(),
  now: () => clock.now,
});

const beginSession = () => authenticator.answerHandshake(createInitialRequest(client)).session;
/** The part of a session that a request contains: everything except the client's nonce. */
const presented = ({ nonce }: { nonce: string }) => authenticator.verifySessionNonce(nonce, client.identityKey);

/** The session that is found by what a request contains. */
const findSession = async (nonces: ClientNonces | undefined, session: { nonce: string }) =>
  (await nonces?.find(presented(session)))?.session;
const add = async (nonces: ClientNonces | undefined, session: Session) => {
  await nonces?.begin(async () => ({ session }));
};
/** A session that its store keeps. */
const stored = (session: Session): FoundSession => ({ session, standIn: undefined });

beforeEach(() => {
  clock.now = START;
});

test('the instance that created a session finds it without asking the store', async () => {
  const store = new MemoryNonceStore();
  const nonces = new ClientNonces({ authenticator, store });
  const session = beginSession();
  await add(nonces, session);
  expect(await findSession(nonces, session)).toEqual(session);
  expect(store.findCount).toBe(0);
});

test('another instance finds a session in the store once, and then in its cache', async () => {
  const store = new MemoryNonceStore();
  const session = beginSession();
  await add(new ClientNonces({ authenticator, store }), session);
  const other = new ClientNonces({ authenticator, store });
  expect(await findSession(other, session)).toEqual(session);
  expect(await findSession(other, session)).toEqual(session);
  expect(store.findCount).toBe(1);
});

test('an unproven session is not found after two minutes', async () => {
  const store = new MemoryNonceStore();
  const nonces = new ClientNonces({ authenticator, store });
  const session = beginSession();
  await add(nonces, session);
  expect(store.record(session.handle)?.expiresAt).toEqual(new Date(START + UNPROVEN_LIFE_MS));
  clock.now = START + UNPROVEN_LIFE_MS;
  expect(await findSession(nonces, session)).toEqual(session);
  clock.now += 1;
  expect(await findSession(nonces, session)).toBeUndefined();
  expect(await findSession(new ClientNonces({ authenticator, store }), session)).toBeUndefined();
});

test('all instances keep a proven session for its whole lifetime', async () => {
  const store = new MemoryNonceStore();
  const nonces = new ClientNonces({ authenticator, store });
  const session = beginSession();
  await add(nonces, session);
  await nonces.markProven(stored(session));
  expect(store.record(session.handle)).toMatchObject({
    proven: true,
    expiresAt: new Date(START + authenticator.sessionLifetimeMs),
  });
  clock.now = START + authenticator.sessionLifetimeMs;
  expect(await findSession(nonces, session)).toEqual(session);
  expect(await findSession(new ClientNonces({ authenticator, store }), session)).toEqual(session);
});

test('a flood of handshakes evicts no proven session', async () => {
  const nonces = new ClientNonces({ authenticator, maxUnproven: 100, maxProven: 10 });
  const proven = beginSession();
  await add(nonces, proven);
  await nonces.markProven(stored(proven));
  const first = beginSession();
  await add(nonces, first);
  for (let i = 0; i < 1_000; i++) await add(nonces, { ...first, nonce: `flood ${i}`, handle: randomBytes(16) });
  expect(await findSession(nonces, proven)).toEqual(proven);
  expect(await findSession(nonces, first)).toBeUndefined();
});

test('a session that the store has lost is not found by another instance', async () => {
  const store = new MemoryNonceStore();
  const session = beginSession();
  await add(new ClientNonces({ authenticator, store }), session);
  store.clear();
  expect(await findSession(new ClientNonces({ authenticator, store }), session)).toBeUndefined();
});

test('sessions of this instance work while the store is unavailable, and are marked as proven later', async () => {
  const store = new MemoryNonceStore();
  const errors: unknown[] = [];
  const nonces = new ClientNonces({ authenticator, store, onStoreError: (error) => errors.push(error) });
  const [kept, lost] = [beginSession(), beginSession()];
  await add(nonces, kept);
  store.isFailing = true;
  await add(nonces, lost);
  expect(await findSession(nonces, lost)).toEqual(lost);
  await nonces.markProven(stored(kept));
  expect(await findSession(nonces, kept)).toEqual(kept);
  expect(errors).toHaveLength(2);
  await expect(new ClientNonces({ authenticator, store }).find(presented(kept))).rejects.toThrow(
    'the store is unavailable',
  );

  store.isFailing = false;
  await nonces.markProven(stored(kept));
  expect(store.record(kept.handle)?.proven).toBe(true);
});

describe('after the session lifetime was changed from one minute to one hour', () => {
  const SHORT_MS = 60_000;
  const parts = { privateKey: Buffer.alloc(32, 7), curve: loadCurve(), now: () => clock.now };
  const before = createAuthenticator({ ...parts, sessionLifetimeMs: SHORT_MS });
  const after = createAuthenticator({ ...parts, sessionLifetimeMs: 3_600_000 });
  const begin = () => before.answerHandshake(createInitialRequest(client)).session;

  test('a session that was proven before the change ends at its old time', async () => {
    const store = new MemoryNonceStore();
    const session = begin();
    const old = new ClientNonces({ authenticator: before, store });
    await add(old, session);
    await old.markProven(stored(session));

    const restarted = new ClientNonces({ authenticator: after, store });
    clock.now = START + SHORT_MS;
    expect(await findSession(restarted, session)).toEqual(session);
    await restarted.markProven(stored(session));
    clock.now += 1;
    // One instance uses its cache, the other one the store.
    expect(await findSession(restarted, session)).toBeUndefined();
    expect(await findSession(new ClientNonces({ authenticator: after, store }), session)).toBeUndefined();
  });

  test('an unproven session ends at its old time', async () => {
    const store = new MemoryNonceStore();
    const session = begin();
    const old = new ClientNonces({ authenticator: before, store });
    await add(old, session);
    clock.now = START + SHORT_MS + 1;
    expect(await findSession(old, session)).toBeUndefined();
    expect(await findSession(new ClientNonces({ authenticator: after, store }), session)).toBeUndefined();
  });

  test('an instance with the new setting does not extend a session that was proven with the old setting', async () => {
    const store = new MemoryNonceStore();
    const session = begin();
    const [old, young] = [before, after].map((authenticator) => new ClientNonces({ authenticator, store }));
    await add(old, session);
    expect(await findSession(young, session)).toEqual(session);
    await old?.markProven(stored(session));
    await young?.markProven(stored(session));
    clock.now = START + SHORT_MS;
    expect(await findSession(young, session)).toEqual(session);
    clock.now += 1;
    expect(await findSession(young, session)).toBeUndefined();
  });
});
