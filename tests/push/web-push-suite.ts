import { randomBytes } from 'node:crypto';
import { createPushOutboxWriter } from '@messagebox/messages';
import { generateVapidKeys } from '@messagebox/shared';
import { type FcmServer, startFcmServer } from '@messagebox/test-support/fcm-server';
import { createThrowawayAuthority } from '@messagebox/test-support/throwaway-authority';
import { type Subscription, startWebPushService, type WebPushService } from '@messagebox/test-support/web-push-service';
import { waitUntil } from '../acceptance/history.js';
import { BOB, readPushCount } from './fixtures.js';
import { type Instance, listPushed, type PushDeployment, startInstance } from './push-deployment.js';

const authority = createThrowawayAuthority();
const keys = generateVapidKeys();
const VAPID = { VAPID_PUBLIC_KEY: keys.publicKey, VAPID_PRIVATE_KEY: keys.privateKey };

/** Pushing to browsers, on each database. */
export function webPushSuite(name: string, makePlace: () => Promise<PushDeployment>): void {
  describe(name, () => {
    let place: PushDeployment;
    let fcm: FcmServer;
    let service: WebPushService;
    const open: Instance[] = [];
    beforeEach(async () => {
      place = await makePlace();
      fcm = await startFcmServer();
      service = await startWebPushService(authority);
    });
    afterEach(async () => {
      for (const instance of open.splice(0)) await instance.close();
      await service.close();
      await fcm.close();
      await place.remove();
    });
    const instance = async (env: Record<string, string> = VAPID): Promise<Instance> => {
      const opened = await startInstance(place, fcm, env);
      open.push(opened);
      return opened;
    };
    const somebody = () => `02${randomBytes(32).toString('hex')}`;
    const webPush = { certificateAuthority: authority.certificate };
    const register = ({ devices }: Instance, identityKey: string, { endpoint, keys: webPushKeys }: Subscription) =>
      devices.register({ identityKey, fcmToken: endpoint, webPushKeys, deviceId: undefined, platform: 'web' });
    /** Subscribes a browser, and registers it for this identity. */
    const browser = async (at: Instance, identityKey: string, at2 = service) => {
      const subscription = at2.subscribe(keys.publicKey);
      return { id: await register(at, identityKey, subscription), ...subscription };
    };
    const emptied = ({ outbox }: Instance) =>
      waitUntil('the outbox is empty', async () => (await outbox.countUpTo(10)) === 0);
    const counted = ({ metrics }: Instance, outcome: string, count: number) =>
      waitUntil(`${count} are counted as ${outcome}`, async () => (await readPushCount(metrics, outcome)) >= count);
    const list = () =>
      service.received.map(
        ({ endpoint, payload }) => `${endpoint} ${(payload['data'] as { messageId: string }).messageId}`,
      );

    test('phones and browsers of the recipient get the push, and the rows are deleted', async () => {
      const at = await instance();
      const alice = somebody();
      const [phone, laptop] = [await at.device(alice), await browser(at, alice)];
      await browser(at, somebody());
      const push = await at.push({ webPush });
      const [id] = await at.store(alice);
      push?.notify();
      await counted(at, 'sent', 2);
      await emptied(at);
      expect(listPushed(fcm)).toEqual([`${phone.token} ${id}`]);
      expect(service.received).toMatchObject([
        {
          endpoint: laptop.endpoint,
          payload: {
            title: 'New Message',
            body: id,
            data: { messageId: id, messageBox: 'notifications', recipient: alice, sender: BOB },
          },
          ttl: 86_400,
        },
      ]);
      expect(service.refused).toEqual([]);
      // Neither bodies nor endpoints, which are secret, leave the process.
      expect(service.received[0]?.text).not.toContain('hello');
      expect(at.lines.join('')).not.toContain('/push/');
      await waitUntil('its use is noted', async () => (await at.devices.find(laptop.id))?.lastUsed !== undefined);
    });

    test('two identities of one browser get their own pushes, each naming its identity', async () => {
      const at = await instance();
      const [alice, carol] = [somebody(), somebody()];
      const subscription = service.subscribe(keys.publicKey);
      for (const identity of [alice, carol]) await register(at, identity, subscription);
      await at.push({ webPush });
      const ids = await at.store(alice, carol);
      await counted(at, 'sent', 2);
      const data = service.received.map(({ payload }) => payload['data']);
      expect(data).toEqual(
        expect.arrayContaining([
          { messageId: ids[0], messageBox: 'notifications', recipient: alice, sender: BOB },
          { messageId: ids[1], messageBox: 'notifications', recipient: carol, sender: BOB },
        ]),
      );
      await at.devices.unregister(alice, subscription.endpoint);
      const [, own] = await at.store(alice, carol);
      await counted(at, 'sent', 3);
      await emptied(at);
      expect(list()).toHaveLength(3);
      expect(list()[2]).toBe(`${subscription.endpoint} ${own}`);
    });

    test('without Firebase, browsers are pushed to, and pushes to phones are dropped', async () => {
      const at = await instance({ ...VAPID, ENABLE_FIREBASE: 'false' });
      const alice = somebody();
      await at.device(alice);
      await browser(at, alice);
      await at.push({ webPush });
      await at.store(alice);
      await counted(at, 'sent', 1);
      await counted(at, 'skipped', 1);
      await emptied(at);
      expect(fcm.received).toEqual([]);
      expect(at.lines.map((line) => JSON.parse(line) as { level: number }).filter(({ level }) => level > 30)).toEqual(
        [],
      );
    });

    test('without VAPID keys, phones are pushed to, and pushes to browsers are dropped', async () => {
      const at = await instance({});
      const alice = somebody();
      const { token } = await at.device(alice);
      const { id } = await browser(at, alice);
      await at.push({ webPush });
      const [message] = await at.store(alice);
      await counted(at, 'sent', 1);
      await counted(at, 'skipped', 1);
      await emptied(at);
      expect(service.received).toEqual([]);
      expect(listPushed(fcm)).toEqual([`${token} ${message}`]);
      expect(await at.devices.find(id)).toMatchObject({ active: true });
    });

    test.each([404, 410])('after %s a subscription is inactive, until it is registered again', async (status) => {
      const at = await instance();
      const alice = somebody();
      const gone = await browser(at, alice);
      service.answer = () => ({ status });
      const push = await at.push({ webPush });
      await at.store(alice);
      await waitUntil('it is inactive', async () => (await at.devices.find(gone.id))?.active === false);
      await emptied(at);
      expect(await readPushCount(at.metrics, 'dead_token')).toBe(1);
      await at.store(alice);
      push?.notify();
      await emptied(at);
      expect(service.received).toHaveLength(1);

      service.answer = () => undefined;
      expect(await register(at, alice, gone)).toBe(gone.id);
      const [id] = await at.store(alice);
      push?.notify();
      await counted(at, 'sent', 1);
      expect(list()[1]).toBe(`${gone.endpoint} ${id}`);
    });

    test('a push that got 429 with Retry-After is not tried again sooner, and replaces itself', async () => {
      const at = await instance();
      const alice = somebody();
      await browser(at, alice);
      service.answer = () =>
        service.received.length > 1 ? undefined : { status: 429, headers: { 'retry-after': '2' } };
      await at.store(alice);
      await at.push({ webPush });
      await counted(at, 'sent', 1);
      const [a, b] = service.received;
      expect((b?.at ?? 0) - (a?.at ?? 0)).toBeGreaterThanOrEqual(1_950);
      expect(b?.topic).toBe(a?.topic);
      expect(await readPushCount(at.metrics, 'retried')).toBe(1);
    });

    test('a push lives as long as its message', async () => {
      const at = await instance();
      const alice = somebody();
      await browser(at, alice);
      const notes = createPushOutboxWriter(at.outbox, () => {});
      const message = { recipient: alice, messageBox: 'notifications', messageId: 'short', sender: BOB, body: 'b' };
      const batch = [{ ...message, expiresAt: new Date(Date.now() + 600_000) }];
      await at.foundation.store.storeMessages(batch, notes.createTransactionHook(batch));
      await at.push({ webPush });
      await counted(at, 'sent', 1);
      const ttl = service.received[0]?.ttl ?? 0;
      expect(ttl).toBeLessThanOrEqual(600);
      expect(ttl).toBeGreaterThan(500);
    });

    test('while hosts of strangers hang, phones and other browsers are pushed to', async () => {
      const at = await instance();
      const [mallory, alice] = [somebody(), somebody()];
      let isHanging = true;
      let answerAll = () => {};
      const end = new Promise<undefined>((resolve) => {
        answerAll = () => {
          isHanging = false;
          resolve(undefined);
        };
      });
      service.answer = () => (isHanging ? end : undefined);
      for (let n = 0; n < 20; n++) await browser(at, mallory);
      const other = await startWebPushService(authority);
      const { endpoint } = await browser(at, alice, other);
      const { token } = await at.device(alice);
      await at.store(...Array.from({ length: 5 }, () => mallory));
      const push = await at.push({ webPush });
      await service.waitUntilReceived(2);
      const ids = await at.store(...Array.from({ length: 10 }, () => alice));
      push?.notify();
      await other.waitUntilReceived(10);
      await fcm.waitUntilReceived(10);
      expect(new Set(other.received.map((one) => one.endpoint))).toEqual(new Set([endpoint]));
      expect(listPushed(fcm)).toEqual(ids.map((id) => `${token} ${id}`).sort());
      expect(service.maxConcurrent).toBeLessThanOrEqual(2);
      answerAll();
      await other.close();
    });

    test('while FCM asks for a pause, browsers are pushed to', async () => {
      const at = await instance();
      const [alice, carol] = [somebody(), somebody()];
      await at.device(alice);
      fcm.answer = () => ({ status: 503, headers: { 'retry-after': '3600' } });
      const push = await at.push({ webPush });
      await at.store(alice);
      push?.notify();
      await fcm.waitUntilReceived(1);
      await counted(at, 'retried', 1);
      const { endpoint } = await browser(at, carol);
      const [id] = await at.store(carol);
      push?.notify();
      await service.waitUntilReceived(1);
      expect(list()).toEqual([`${endpoint} ${id}`]);
      await counted(at, 'sent', 1);
    });

    test('a push that the service refuses is dropped, and no job fails because of it', async () => {
      const at = await instance();
      const alice = somebody();
      const { id } = await browser(at, alice);
      service.answer = () => ({ status: 403 });
      await at.store(alice);
      await at.push({ webPush });
      await counted(at, 'refused', 1);
      await emptied(at);
      expect(await at.metrics.registry.metrics()).toMatch(/^messagebox_jobs_total\{.*outcome="completed".*\} 1$/m);
      expect(await at.devices.find(id)).toMatchObject({ active: true });
      expect(at.lines.join('')).toContain('a push was refused');
      expect(at.lines.join('')).not.toContain('/push/');
    });
  });
}
