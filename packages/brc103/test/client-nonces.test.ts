import { randomBytes } from 'node:crypto';
import { createAuthenticator } from '../src/authenticator.js';
import { loadCurve } from '../src/curve/load-curve.js';
import { ClientNonces } from '../src/http/client-nonces.js';
import { MemoryNonceStore } from './support/memory-nonce-store.js';
import { SdkClient } from './support/sdk-client.js';
import { initialRequest } from './support/signed-request.js';

const UNPROVEN_LIFE_MS = 120_000;
const START = 1_768_600_000_000;
const client = new SdkClient();
const clock = { now: START };
const authenticator = createAuthenticator({
  privateKey: Buffer.alloc(32, 7),
  curve: loadCurve(),
  now: () => clock.now,
});

const beginSession = () => authenticator.answerHandshake(initialRequest(client)).session;
/** The part of a session that a request brings along: everything but the client's nonce. */
const presented = ({ nonce }: { nonce: string }) => authenticator.openSession(nonce, client.identityKey);

beforeEach(() => {
  clock.now = START;
});

test('a session is found by the instance that made it without asking the store', async () => {
  const store = new MemoryNonceStore();
  const nonces = new ClientNonces({ authenticator, store });
  const session = beginSession();
  await nonces.add(session);
  expect(await nonces.find(presented(session))).toEqual(session);
  expect(store.finds).toBe(0);
});

test('a session is found by another instance through the store, and from then on without it', async () => {
  const store = new MemoryNonceStore();
  const session = beginSession();
  await new ClientNonces({ authenticator, store }).add(session);
  const other = new ClientNonces({ authenticator, store });
  expect(await other.find(presented(session))).toEqual(session);
  expect(await other.find(presented(session))).toEqual(session);
  expect(store.finds).toBe(1);
});

test('a session that nobody proves is not found after two minutes', async () => {
  const store = new MemoryNonceStore();
  const nonces = new ClientNonces({ authenticator, store });
  const session = beginSession();
  await nonces.add(session);
  expect(store.record(session.handle)?.expiresAt).toEqual(new Date(START + UNPROVEN_LIFE_MS));
  clock.now = START + UNPROVEN_LIFE_MS;
  expect(await nonces.find(presented(session))).toEqual(session);
  clock.now += 1;
  expect(await nonces.find(presented(session))).toBeUndefined();
  expect(await new ClientNonces({ authenticator, store }).find(presented(session))).toBeUndefined();
});

test('a proven session is kept for its whole life, by all instances', async () => {
  const store = new MemoryNonceStore();
  const nonces = new ClientNonces({ authenticator, store });
  const session = beginSession();
  await nonces.add(session);
  await nonces.markProven(session);
  expect(store.record(session.handle)).toMatchObject({
    proven: true,
    expiresAt: new Date(START + authenticator.sessionLifeMs),
  });
  clock.now = START + authenticator.sessionLifeMs;
  expect(await nonces.find(presented(session))).toEqual(session);
  expect(await new ClientNonces({ authenticator, store }).find(presented(session))).toEqual(session);
});

test('a flood of handshakes evicts no proven session', async () => {
  const nonces = new ClientNonces({ authenticator, maxUnproven: 100, maxProven: 10 });
  const proven = beginSession();
  await nonces.add(proven);
  await nonces.markProven(proven);
  const first = beginSession();
  await nonces.add(first);
  for (let i = 0; i < 1_000; i++) await nonces.add({ ...first, nonce: `flood ${i}`, handle: randomBytes(16) });
  expect(await nonces.find(presented(proven))).toEqual(proven);
  expect(await nonces.find(presented(first))).toBeUndefined();
});

test('a session that the store has lost is not found', async () => {
  const store = new MemoryNonceStore();
  const session = beginSession();
  await new ClientNonces({ authenticator, store }).add(session);
  store.clear();
  expect(await new ClientNonces({ authenticator, store }).find(presented(session))).toBeUndefined();
});

test('while the store is away, sessions of this instance go on, and are marked as proven later', async () => {
  const store = new MemoryNonceStore();
  const errors: unknown[] = [];
  const nonces = new ClientNonces({ authenticator, store, onStoreError: (error) => errors.push(error) });
  const [kept, lost] = [beginSession(), beginSession()];
  await nonces.add(kept);
  store.fails = true;
  await nonces.add(lost);
  expect(await nonces.find(presented(lost))).toEqual(lost);
  await nonces.markProven(kept);
  expect(await nonces.find(presented(kept))).toEqual(kept);
  expect(errors).toHaveLength(2);
  await expect(new ClientNonces({ authenticator, store }).find(presented(kept))).rejects.toThrow('the store is away');

  store.fails = false;
  await nonces.markProven(kept);
  expect(store.record(kept.handle)?.proven).toBe(true);
});

describe('after a session life of one minute was made one hour', () => {
  const SHORT_MS = 60_000;
  const parts = { privateKey: Buffer.alloc(32, 7), curve: loadCurve(), now: () => clock.now };
  const before = createAuthenticator({ ...parts, sessionLifeMs: SHORT_MS });
  const after = createAuthenticator({ ...parts, sessionLifeMs: 3_600_000 });
  const begin = () => before.answerHandshake(initialRequest(client)).session;

  test('a session that was proven before ends when it was to end', async () => {
    const store = new MemoryNonceStore();
    const session = begin();
    const old = new ClientNonces({ authenticator: before, store });
    await old.add(session);
    await old.markProven(session);

    const restarted = new ClientNonces({ authenticator: after, store });
    clock.now = START + SHORT_MS;
    expect(await restarted.find(presented(session))).toEqual(session);
    await restarted.markProven(session);
    clock.now += 1;
    // From memory, and from the store.
    expect(await restarted.find(presented(session))).toBeUndefined();
    expect(await new ClientNonces({ authenticator: after, store }).find(presented(session))).toBeUndefined();
  });

  test('a session that nobody has proven ends when it was to end', async () => {
    const store = new MemoryNonceStore();
    const session = begin();
    const old = new ClientNonces({ authenticator: before, store });
    await old.add(session);
    clock.now = START + SHORT_MS + 1;
    expect(await old.find(presented(session))).toBeUndefined();
    expect(await new ClientNonces({ authenticator: after, store }).find(presented(session))).toBeUndefined();
  });

  test('an instance with the new setting does not prolong what one with the old setting has proven', async () => {
    const store = new MemoryNonceStore();
    const session = begin();
    const [old, young] = [before, after].map((authenticator) => new ClientNonces({ authenticator, store }));
    await old?.add(session);
    expect(await young?.find(presented(session))).toEqual(session);
    await old?.markProven(session);
    await young?.markProven(session);
    clock.now = START + SHORT_MS;
    expect(await young?.find(presented(session))).toEqual(session);
    clock.now += 1;
    expect(await young?.find(presented(session))).toBeUndefined();
  });
});
