import { randomUUID } from 'node:crypto';
import { RawClient, type Session, sendRaw, type WireRequest } from '@messagebox/test-support/raw-client';
import { createPeople } from '../acceptance/people.js';

/** A deployment whose database can be brought into a state in which it takes no writes. */
export interface TroubledDeployment {
  /** Two instances, or the same one twice. */
  readonly apis: readonly [string, string];
  begin(): Promise<void>;
  end(): Promise<void>;
}

const BOX = 'inbox';
/** Rows of this size are kept whole in their page. */
const BODY = 'x'.repeat(5_000);
const USED = { status: 401, body: { code: 'ERR_AUTH_FAILED', description: 'This request was already used' } };
const UNKNOWN_SESSION = { status: 401, body: { description: 'Session not found for nonce' } };

export const shakeHands = (url: string, client = new RawClient()): Promise<Session> =>
  client.shakeHands(Number(new URL(url).port));

export const signList = (session: Session): WireRequest => session.post('/listMessages', { messageBox: BOX });

/** The status and the JSON of the answer to a request. */
export async function sendSigned(url: string, request: WireRequest): Promise<{ status: number; body: unknown }> {
  const { status, text } = await sendRaw(Number(new URL(url).port), request);
  return { status, body: JSON.parse(text) as unknown };
}

/** Sends until a send is refused: a full database takes some messages still. */
async function sendUntilRefused<T extends { readonly status: number }>(send: () => Promise<T>): Promise<T> {
  for (let i = 0; i < 2_000; i++) {
    const sent = await send();
    if (sent.status !== 200) return sent;
  }
  throw new Error('the database has taken all messages');
}

/**
 * What holds while the database takes no writes, and when it takes them again.
 *
 * @param at the deployment of the surrounding `describe`, whose database takes writes before and after each test
 * @param refusesAll whether the database refuses every write; a full one may take small ones still
 */
export function troubleSuite(at: () => TroubledDeployment, refusesAll: boolean): void {
  const someone = createPeople();
  afterEach(() => at().end());

  test('requests that only read go on, and the others answer 503 and change nothing', async () => {
    const [alice, bob, carol] = [someone(), someone(), someone()];
    const { apis } = at();
    const [first] = apis;
    const message = { recipient: bob.key, messageBox: BOX, messageId: 'before', body: 'hello' };
    expect((await alice.send(first, message)).status).toBe(200);
    expect(await bob.listIds(first, BOX)).toEqual(['before']);
    await at().begin();

    const ids = ['before'];
    const sent = await sendUntilRefused(async () => {
      const late = { ...message, messageId: randomUUID(), body: BODY };
      ids.push(late.messageId);
      return { late, ...(await alice.send(first, late)) };
    });
    const { late } = sent;
    expect(ids.pop()).toBe(late.messageId);
    const writes = refusesAll
      ? [
          bob.acknowledge(first, 'before'),
          bob.post(`${first}/permissions/set`, { messageBox: BOX, recipientFee: -1 }),
          bob.post(`${first}/registerDevice`, { fcmToken: 'a'.repeat(40) }),
          bob.post(`${first}/unregisterDevice`, { fcmToken: 'a'.repeat(40) }),
        ]
      : [];
    for (const api of apis) {
      // Bob has a session in the database, and Carol has none yet.
      for (let i = 0; i < 5; i++) expect(await bob.listIds(api, BOX)).toEqual(ids);
      expect(await carol.listIds(api, BOX)).toEqual([]);
      expect(await bob.get(`${api}/permissions/get?messageBox=${BOX}`)).toMatchObject({ body: { permission: null } });
      expect(await bob.get(`${api}/permissions/list`)).toMatchObject({ body: { permissions: [] } });
      const quote = await carol.get(`${api}/permissions/quote?recipient=${bob.key}&messageBox=${BOX}`);
      expect(quote).toMatchObject({ body: { quote: { recipientFee: 0 } } });
      expect(await bob.get(`${api}/devices`)).toMatchObject({ body: { devices: [] } });
    }
    for (const answer of [sent, ...(await Promise.all(writes))]) {
      expect(answer).toMatchObject({ status: 503, body: { code: 'ERR_STORE_UNAVAILABLE' } });
    }

    await at().end();
    for (const api of apis) expect(await bob.listIds(api, BOX)).toEqual(ids);
    expect((await alice.send(first, late)).status).toBe(200);
    expect(await bob.listIds(first, BOX)).toEqual([...ids, late.messageId]);
    expect((await bob.acknowledge(first, ...ids)).status).toBe(200);
    expect(await bob.listIds(first, BOX)).toEqual([late.messageId]);
  });

  test('a list that was captured before does not work again', async () => {
    const [first, second] = at().apis;
    const session = await shakeHands(first);
    const captured = signList(session);
    expect((await sendSigned(first, captured)).status).toBe(200);
    await at().begin();
    for (const api of [first, second]) expect((await sendSigned(api, captured)).status).toBe(401);
    await at().end();
    for (const api of [first, second]) expect(await sendSigned(api, captured)).toMatchObject(USED);
  });

  test('a list that was captured meanwhile works once, then and afterwards', async () => {
    const [first, second] = at().apis;
    await at().begin();
    const session = await shakeHands(first);
    const captured = signList(session);
    const answer = await sendRaw(Number(new URL(first).port), captured);
    expect(answer.status).toBe(200);
    expect(session.isSigned(captured, answer)).toBe(true);
    for (const api of [second, first]) expect(await sendSigned(api, captured)).toMatchObject(USED);
    await at().end();
    for (const api of [second, first]) expect(await sendSigned(api, captured)).toMatchObject(USED);
  });

  test('of many copies of a list at the same time one is answered', async () => {
    const { apis } = at();
    await at().begin();
    const captured = signList(await shakeHands(apis[0]));
    const copies = Array.from({ length: 20 }, (_, i) => sendSigned(apis[i % 2] as string, captured));
    // The end of the trouble changes nothing.
    const [answers] = await Promise.all([Promise.all(copies), at().end()]);
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 401)).toHaveLength(19);
  });

  test('a send that was refused meanwhile works once, afterwards', async () => {
    const [first, second] = at().apis;
    await at().begin();
    const session = await shakeHands(first);
    const bob = new RawClient().identityKey;
    const { captured } = await sendUntilRefused(async () => {
      const message = { recipient: bob, messageBox: BOX, messageId: randomUUID(), body: BODY };
      const captured = session.post('/sendMessage', { message });
      return { captured, ...(await sendSigned(first, captured)) };
    });
    await at().end();
    const answers = [await sendSigned(second, captured), await sendSigned(first, captured)];
    // When the claim was taken and the message was not, the same request does not work again.
    expect([200, 401]).toContain(answers[0]?.status);
    expect(answers[1]).toMatchObject(USED);
  });
}

/** What holds when Redis fails as well. `redis` belongs to the deployment. */
export function troubleWithoutRedisSuite(
  at: () => TroubledDeployment & { restartFirst(): Promise<void> },
  redis: () => { stop(): Promise<void>; start(): Promise<void> },
): void {
  const someone = createPeople();
  afterEach(async () => {
    await redis().start();
    await at().end();
  });

  test('when Redis comes back empty, no captured list works again, and new sessions do', async () => {
    const [first, second] = at().apis;
    const bob = someone();
    await at().begin();
    expect(await bob.listIds(first, BOX)).toEqual([]);
    const captured = signList(await shakeHands(first));
    expect((await sendSigned(first, captured)).status).toBe(200);
    await redis().stop();
    await redis().start();
    for (const api of [first, second]) {
      expect(await sendSigned(api, captured)).toMatchObject(UNKNOWN_SESSION);
      expect(await bob.listIds(api, BOX)).toEqual([]);
    }
    await at().end();
    for (const api of [first, second]) expect((await sendSigned(api, captured)).status).toBe(401);
  });

  test('while Redis is away, lists go on at the instance of the handshake, and work once', async () => {
    const [first, second] = at().apis;
    const bob = someone();
    expect(await bob.listIds(first, BOX)).toEqual([]);
    await redis().stop();
    await at().begin();
    for (let i = 0; i < 5; i++) expect(await bob.listIds(first, BOX)).toEqual([]);
    const session = await shakeHands(first);
    const captured = signList(session);
    expect((await sendSigned(first, captured)).status).toBe(200);
    expect(await sendSigned(first, captured)).toMatchObject(USED);
    expect(await sendSigned(second, captured)).toMatchObject(UNKNOWN_SESSION);
    // An api starts only where Redis is.
    await redis().start();
    await at().restartFirst();
    expect(await sendSigned(at().apis[0], captured)).toMatchObject(UNKNOWN_SESSION);
    await at().end();
    expect(await sendSigned(at().apis[0], captured)).toMatchObject(UNKNOWN_SESSION);
    expect(await sendSigned(second, captured)).toMatchObject(UNKNOWN_SESSION);
  });
}
