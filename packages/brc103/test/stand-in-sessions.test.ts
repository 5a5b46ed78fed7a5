import type { StandInClaim, StandInSessions } from '../src/http/stand-in-sessions.js';
import { MemoryNonceStore } from './support/memory-nonce-store.js';
import { SdkClient } from './support/sdk-client.js';
import { sendSignedRequest, shakeHands, signRequest } from './support/signed-request.js';
import { startApp, type TestApp } from './support/test-app.js';

/** A stand-in that keeps the claims of its sessions. */
class MemoryStandIns extends MemoryNonceStore implements StandInSessions {
  readonly claims = new Set<string>();

  async claim(handle: Uint8Array, key: Uint8Array): Promise<StandInClaim> {
    if (this.record(handle) === undefined) return 'gone';
    const claim = Buffer.from(key).toString('hex');
    if (this.claims.has(claim)) return 'repeated';
    this.claims.add(claim);
    return 'first';
  }
}

class ReadOnlyError extends Error {}

const client = new SdkClient();
const UNKNOWN_SESSION = { status: 'error', code: 'ERR_AUTH_FAILED', description: 'Session not found for nonce' };

let store: MemoryNonceStore;
let standIns: [MemoryStandIns, MemoryStandIns];
let claimed: Set<string>;
/** The error of a claim that the store refuses. */
let failure: Error | undefined;
let app: TestApp;

async function start(isReadOnly: boolean): Promise<void> {
  await app?.close();
  app = await startApp(
    (routes) => routes.use((req, res) => void res.json({ identityKey: req.auth?.identityKey })),
    {
      clientNonces: store,
      standIns,
      isWriteRefusal: (error) => error instanceof ReadOnlyError,
      claimRequest: ({ key }) => {
        if (failure !== undefined) throw failure;
        const claim = Buffer.from(key).toString('hex');
        return !claimed.has(claim) && claimed.add(claim) !== undefined;
      },
    },
    { isReadOnly },
  );
}

beforeEach(async () => {
  store = new MemoryNonceStore();
  standIns = [new MemoryStandIns(), new MemoryStandIns()];
  claimed = new Set();
  failure = undefined;
  await start(true);
});
afterAll(() => app.close());

function refuseWrites(): void {
  store.insert = () => Promise.reject(new ReadOnlyError());
  failure = new ReadOnlyError();
}

const send = async (request: Awaited<ReturnType<typeof signRequest>>) => {
  const { status, text } = await sendSignedRequest(request);
  return { status, body: JSON.parse(text) as unknown };
};

test('while the store takes writes, sessions and claims are in the store alone', async () => {
  const request = await signRequest(app.url, client, await shakeHands(app.url, client));
  expect((await send(request)).status).toBe(200);
  expect((await send(request)).status).toBe(401);
  expect([claimed.size, standIns[0].claims.size, standIns[1].claims.size]).toEqual([1, 0, 0]);
});

test('a reading request of a session in the store asks for another session while the store takes no writes', async () => {
  const request = await signRequest(app.url, client, await shakeHands(app.url, client));
  refuseWrites();
  expect(await send(request)).toEqual({ status: 401, body: UNKNOWN_SESSION });
  expect(app.handled).toEqual([]);
  expect(app.outcomes.at(-1)).toBe('session_not_found');
});

test('a reading request works once in a session that began while the store takes no writes', async () => {
  refuseWrites();
  const request = await signRequest(app.url, client, await shakeHands(app.url, client));
  expect(await send(request)).toEqual({ status: 200, body: { identityKey: client.identityKey } });
  expect((await send(request)).body).toMatchObject({ description: 'This request was already used' });
  expect(app.handled).toHaveLength(1);
  // The claim stays where the session is, also when the store takes writes again.
  failure = undefined;
  expect((await send(request)).status).toBe(401);
  expect((await send(await signRequest(app.url, client, await shakeHands(app.url, client)))).status).toBe(200);
  expect(claimed.size).toBe(0);
});

test('a stand-in that has lost a session has lost it for all requests', async () => {
  refuseWrites();
  const handshake = await shakeHands(app.url, client);
  const request = await signRequest(app.url, client, handshake);
  expect((await send(request)).status).toBe(200);
  standIns[0].clear();
  standIns[0].claims.clear();
  expect(await send(request)).toEqual({ status: 401, body: UNKNOWN_SESSION });
});

test('the next stand-in keeps a session that the first one does not take', async () => {
  refuseWrites();
  standIns[0].isFailing = true;
  const request = await signRequest(app.url, client, await shakeHands(app.url, client));
  expect((await send(request)).status).toBe(200);
  expect((await send(request)).status).toBe(401);
  expect(standIns[1].claims.size).toBe(1);
});

test('a session that the store may have stored is not given to a stand-in', async () => {
  const stored: Buffer[] = [];
  const kept: Buffer[] = [];
  store.insert = async (handle) => {
    stored.push(Buffer.from(handle));
    throw new Error('the connection was lost');
  };
  const insert = standIns[0].insert.bind(standIns[0]);
  standIns[0].insert = (handle, ...rest) => {
    kept.push(Buffer.from(handle));
    return insert(handle, ...rest);
  };
  const request = await signRequest(app.url, client, await shakeHands(app.url, client));
  expect((await send(request)).status).toBe(200);
  expect([stored.length, kept.length]).toEqual([1, 1]);
  expect(kept[0]).not.toEqual(stored[0]);
});

test('a request that may change something needs the store', async () => {
  await start(false);
  const before = await signRequest(app.url, client, await shakeHands(app.url, client));
  refuseWrites();
  expect((await send(before)).status).toBe(500);
  const during = await signRequest(app.url, client, await shakeHands(app.url, client));
  expect((await send(during)).status).toBe(500);
  expect(app.handled).toEqual([]);
  failure = undefined;
  expect((await send(during)).status).toBe(200);
  expect((await send(during)).status).toBe(401);
  expect([claimed.size, standIns[0].claims.size]).toEqual([1, 0]);
});

test('a store that fails in another way fails reading requests as well', async () => {
  const request = await signRequest(app.url, client, await shakeHands(app.url, client));
  failure = new Error('no connection');
  expect((await send(request)).status).toBe(500);
  expect(app.handled).toEqual([]);
});
