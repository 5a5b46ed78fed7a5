import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { generateVapidKeys, PublicFetch } from '@messagebox/shared';
import { createThrowawayAuthority } from '@messagebox/test-support/throwaway-authority';
import { type Subscription, startWebPushService, type WebPushService } from '@messagebox/test-support/web-push-service';
import type { Push } from '../src/push/index.js';
import { WebPush } from '../src/push/web-push/web-push.js';

const authority = createThrowawayAuthority();
const keys = generateVapidKeys();
const vapid = { ...keys, subject: 'mailto:operator@host.example' };
const never = new AbortController().signal;
const ALICE = `02${'a1'.repeat(32)}`;
const BOB = `03${'b0'.repeat(32)}`;

describe('Web Push', () => {
  let service: WebPushService;
  let fetch: PublicFetch;
  let webPush: WebPush;
  beforeEach(async () => {
    service = await startWebPushService(authority);
    fetch = new PublicFetch('local', { certificateAuthority: authority.certificate });
    webPush = new WebPush(vapid, fetch);
  });
  afterEach(async () => {
    await fetch.close();
    await service.close();
  });

  const pushTo = ({ endpoint, keys: webPushKeys }: Subscription, change: Partial<Push> = {}): Push => ({
    token: endpoint,
    webPushKeys,
    title: 'Payment received',
    text: 'Open the app to view it.',
    messageId: 'id-1',
    messageBox: 'payment_inbox',
    recipient: ALICE,
    originator: BOB,
    createdAt: Date.now(),
    expiresAt: undefined,
    ...change,
  });
  const send = (change: Partial<Push> = {}, subscription = service.subscribe(keys.publicKey)) =>
    webPush.send(pushTo(subscription, change), never);

  test('a push is signed for the service, encrypted for the browser, and names message, box and identities', async () => {
    const subscription = service.subscribe(keys.publicKey);
    expect(await send({}, subscription)).toEqual({ kind: 'sent' });
    expect(service.refused).toEqual([]);
    expect(service.received).toEqual([
      {
        endpoint: subscription.endpoint,
        text: expect.any(String),
        payload: {
          title: 'Payment received',
          body: 'Open the app to view it.',
          data: { messageId: 'id-1', messageBox: 'payment_inbox', recipient: ALICE, sender: BOB },
        },
        ttl: 86_400,
        topic: expect.stringMatching(/^[\w-]{32}$/),
        urgency: 'high',
        vapid: { key: keys.publicKey, subject: 'mailto:operator@host.example' },
        at: expect.any(Number),
      },
    ]);
  });

  test('the service keeps a push until the message expires, and a day at most', async () => {
    for (const expiresAt of [Date.now() + 600_000, Date.now() + 30 * 86_400_000, undefined]) await send({ expiresAt });
    const [short, ...long] = service.received.map(({ ttl }) => ttl);
    expect(short).toBeLessThanOrEqual(600);
    expect(short).toBeGreaterThan(500);
    expect(long).toEqual([86_400, 86_400]);
  });

  test('a repeated push has the same topic, and another message or recipient another one', async () => {
    await send();
    await send();
    await send({ messageId: 'id-2' });
    await send({ recipient: BOB });
    const topics = service.received.map(({ topic }) => topic);
    expect(topics[1]).toBe(topics[0]);
    expect(new Set(topics).size).toBe(3);
  });

  test('a push of an old message does not wake a sleeping device up', async () => {
    await send({ createdAt: Date.now() - 2 * 3_600_000 });
    expect(service.received.map(({ urgency }) => urgency)).toEqual(['normal']);
  });

  test('the longest names still fit, without the text', async () => {
    // Each character takes six bytes of JSON.
    const longest = '\u0001'.repeat(255);
    expect(await send({ messageId: longest, messageBox: longest, text: longest })).toEqual({ kind: 'sent' });
    expect(service.received[0]?.payload).toMatchObject({ body: '', data: { messageId: longest, messageBox: longest } });
  });

  test.each([
    [200, undefined, { kind: 'sent' }],
    [404, undefined, { kind: 'dead_token' }],
    [410, undefined, { kind: 'dead_token' }],
    [429, undefined, { kind: 'later', afterMs: 60_000, fault: 'device' }],
    [429, '7', { kind: 'later', afterMs: 7_000, fault: 'device' }],
    [500, undefined, { kind: 'later', afterMs: 0, fault: 'device' }],
    [503, '20', { kind: 'later', afterMs: 20_000, fault: 'device' }],
    [400, undefined, { kind: 'refused', fault: 'device' }],
    [403, undefined, { kind: 'refused', fault: 'device' }],
    [413, undefined, { kind: 'refused', fault: 'device' }],
  ])('the answer %s with Retry-After %s', async (status, retryAfter, outcome) => {
    service.answer = () => ({ status, headers: retryAfter === undefined ? {} : { 'retry-after': retryAfter } });
    const sent = await send();
    expect(sent).toMatchObject(outcome);
    // A reason is logged, and the path of an endpoint is secret.
    expect(JSON.stringify(sent)).not.toContain('/push/');
  });

  test('no redirect is followed, and an answer without end is not read', async () => {
    const target = await startWebPushService(authority);
    service.answer = () => ({ status: 307, headers: { location: target.subscribe().endpoint } });
    expect(await send()).toMatchObject({ kind: 'later', fault: 'device' });
    expect(target.received).toEqual([]);
    await target.close();
    const other = await startWebPushService(authority);
    other.answer = () => ({ status: 201, body: Buffer.alloc(50_000_000) });
    expect(await send({}, other.subscribe())).toEqual({ kind: 'sent' });
    await other.close();
  });

  test('a host that can’t be reached, or whose certificate nobody signed, is the owner’s fault', async () => {
    const gone = createServer().listen(0, '127.0.0.1');
    await once(gone, 'listening');
    const { port } = gone.address() as AddressInfo;
    gone.close();
    const subscription = { ...service.subscribe(), endpoint: `https://127.0.0.1:${port}/push/x` };
    expect(await send({}, subscription)).toMatchObject({ kind: 'later', fault: 'device' });
    const strange = await startWebPushService(createThrowawayAuthority());
    expect(await send({}, strange.subscribe())).toMatchObject({ kind: 'later', fault: 'device' });
    expect(strange.received).toEqual([]);
    await strange.close();
  });

  test('on a public network, nothing is sent to a name or an address of this machine', async () => {
    const guarded = new PublicFetch('main', { certificateAuthority: authority.certificate });
    const { port } = new URL(service.origin);
    for (const host of ['localhost', '127.0.0.1', '[::1]', '0.0.0.0', '2130706433']) {
      const subscription = { ...service.subscribe(), endpoint: `https://${host}:${port}/push/x` };
      const outcome = await new WebPush(vapid, guarded).send(pushTo(subscription), never);
      expect(outcome).toMatchObject({ kind: 'later', reason: expect.stringMatching(/public/) });
    }
    expect(service.received).toEqual([]);
    expect(service.refused).toEqual([]);
    await guarded.close();
  });

  test('a host that hangs gets two pushes at once, and pushes to another host go on', async () => {
    const other = await startWebPushService(authority);
    let isAnswered = () => {};
    const answered = new Promise<undefined>((resolve) => {
      isAnswered = () => resolve(undefined);
    });
    service.answer = () => answered;
    const hanging = Array.from({ length: 10 }, (_, n) => send({ recipient: `02${n}${'0'.repeat(63)}` }));
    const deferred = await Promise.all(hanging.slice(2));
    expect(deferred.map(({ kind }) => kind)).toEqual(Array.from({ length: 8 }, () => 'deferred'));
    // Each is told a time of its own.
    const waits = deferred.map((outcome) => (outcome as { afterMs: number }).afterMs);
    expect(waits).toEqual([...waits].sort((a, b) => a - b));
    expect(new Set(waits).size).toBe(8);
    expect(await send({ recipient: BOB }, other.subscribe())).toEqual({ kind: 'sent' });
    await service.waitUntilReceived(2);
    isAnswered();
    expect(await Promise.all(hanging.slice(0, 2))).toEqual([{ kind: 'sent' }, { kind: 'sent' }]);
    expect(service.maxConcurrent).toBe(2);
    await other.close();
  });

  test('a host that fails is left alone for a while, and pushes to another host go on', async () => {
    const other = await startWebPushService(authority);
    service.answer = () => ({ status: 500 });
    expect(await send()).toMatchObject({ kind: 'later' });
    expect(await send()).toMatchObject({ kind: 'deferred' });
    expect(service.received).toHaveLength(1);
    expect(await send({}, other.subscribe())).toEqual({ kind: 'sent' });
    expect(webPush.getPauseMs()).toBeLessThanOrEqual(0);
    await other.close();
  });

  test('a push that is being sent ends when the process stops', async () => {
    const stop = new AbortController();
    service.answer = () => new Promise(() => {});
    const sending = webPush.send(pushTo(service.subscribe()), stop.signal);
    await service.waitUntilReceived(1);
    stop.abort();
    await expect(sending).rejects.toThrow();
  });
});
