import { randomUUID } from 'node:crypto';
import { pathToFileURL } from 'node:url';
import { AuthFetch, PrivateKey } from '@bsv/sdk';
import { type FcmServer, startFcmServer, UNREGISTERED_ANSWER } from '@messagebox/test-support/fcm-server';
import { RegistryApp } from '../app.js';
import { type Clients, registryClients } from '../clients.js';
import { type Deploy, useDeployment } from '../deployments.js';
import { waitUntil } from '../history.js';
import { Payer } from '../payers.js';
import { createPeople, Person } from '../people.js';

/** Devices and pushes, by the real client. What the deployment pushes reaches a local server in place of Google's. */
export function pushSuite(deploy: Deploy, clients: Clients = registryClients): void {
  describe('with device push', () => {
    let fcm: FcmServer;
    const admin = PrivateKey.fromRandom();
    const at = useDeployment(async () => {
      fcm = await startFcmServer();
      return deploy({
        ENABLE_FIREBASE: 'true',
        PUSH_BOXES: 'notifications, payment_inbox=Payment received|Open the app to view it.',
        FIREBASE_PROJECT_ID: fcm.projectId,
        FIREBASE_SERVICE_ACCOUNT_JSON: fcm.accountJson,
        ADMIN_IDENTITY_KEYS: admin.toPublicKey().toString(),
        NODE_OPTIONS: `--import ${pathToFileURL(`${__dirname}/../../support/redirect-fcm.mjs`).href}`,
        TEST_FCM_URL: fcm.url,
      });
    });
    const someone = createPeople(clients);
    beforeAll(async () => {
      // Other tests cover the price of a push.
      const response = await new AuthFetch(new Person(admin).wallet).fetch(`${at().apis[0]}/admin/fees`, {
        method: 'PUT',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ messageBox: 'notifications', deliveryFee: 0 }),
      });
      expect(response.status).toBe(200);
    });
    afterAll(() => fcm.close());
    afterEach(() => {
      fcm.answer = () => undefined;
    });

    /** Somebody who takes notifications of everybody for nothing. */
    const listener = async () => {
      const person = someone();
      const app = person.createApp(at().apis[0], at().realtimes[0]);
      await app.client.setMessageBoxPermission({ messageBox: 'notifications', recipientFee: 0 }, at().apis[0]);
      return { key: person.key, person, app, client: app.client };
    };
    const pushesTo = (token: string) => fcm.received.filter((push) => push.token === token);
    const dataOf = (token: string) => pushesTo(token).map(({ message }) => message['data'] as Record<string, string>);
    const untilPushed = (token: string, count = 1) =>
      waitUntil(`${count} pushes to a device`, () => pushesTo(token).length >= count);

    test('a device is registered and listed', async () => {
      const { client } = await listener();
      const fcmToken = `token:${randomUUID()}`;
      const registered = await client.registerDevice({ fcmToken, deviceId: 'Phone 1', platform: 'android' });
      expect(registered).toEqual({
        status: 'success',
        message: 'Device registered successfully for push notifications',
        deviceId: expect.any(Number),
      });
      const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
      expect(await client.listRegisteredDevices(at().apis[1])).toEqual([
        {
          id: registered.deviceId,
          deviceId: 'Phone 1',
          platform: 'android',
          fcmToken: `...${fcmToken.slice(-10)}`,
          active: true,
          createdAt: time,
          updatedAt: time,
          lastUsed: time,
        },
      ]);
      expect(await (await listener()).client.listRegisteredDevices()).toEqual([]);
    });

    test('registering the same token again keeps the registration', async () => {
      const { client } = await listener();
      const fcmToken = `token:${randomUUID()}`;
      const first = await client.registerDevice({ fcmToken });
      const second = await client.registerDevice({ fcmToken, platform: 'web' }, at().apis[1]);
      expect(second.deviceId).toBe(first.deviceId);
      expect(await client.listRegisteredDevices()).toMatchObject([{ platform: 'web', deviceId: null }]);
    });

    test('sendNotification reaches the device', async () => {
      const bob = await listener();
      const fcmToken = `token:${randomUUID()}`;
      await bob.client.registerDevice({ fcmToken, platform: 'ios' });
      const alice = someone();
      const sent = await alice.createApp(at().apis[1]).client.sendNotification(bob.key, 'wake up', at().apis[1]);
      const { messageId } = sent as { messageId: string };
      await untilPushed(fcmToken);
      expect(pushesTo(fcmToken).map(({ message }) => message)).toEqual([
        {
          token: fcmToken,
          notification: { title: 'New Message', body: messageId },
          data: {
            messageId,
            messageBox: 'notifications',
            recipient: bob.key,
            sender: alice.key,
            originator: alice.key,
          },
          android: { priority: 'high' },
          apns: {
            headers: { 'apns-push-type': 'alert', 'apns-priority': '10' },
            payload: { aps: { 'mutable-content': 1 } },
          },
        },
      ]);
      expect(await bob.app.list('notifications')).toMatchObject([{ messageId, body: 'wake up' }]);
    });

    test('a live send reaches the device, too', async () => {
      const bob = await listener();
      const fcmToken = `token:${randomUUID()}`;
      await bob.client.registerDevice({ fcmToken });
      const alice = someone().createApp(at().apis[0], at().realtimes[1]);
      const { messageId } = await alice.sendLive({ recipient: bob.key, messageBox: 'notifications', body: 'live' });
      await untilPushed(fcmToken);
      expect(pushesTo(fcmToken)[0]?.message).toMatchObject({ data: { messageId } });
    });

    test('a body above the limit of live events reaches no listener, but the device, and the list', async () => {
      const bob = await listener();
      const fcmToken = `token:${randomUUID()}`;
      await bob.client.registerDevice({ fcmToken });
      const { limits } = (await (await fetch(`${at().apis[0]}/info`)).json()) as { limits: { liveBodyBytes: number } };
      const inbox = await bob.app.listen('notifications');
      const alice = someone();
      const to = { recipient: bob.key, messageBox: 'notifications' };
      const large = { ...to, messageId: randomUUID(), body: 'x'.repeat(limits.liveBodyBytes + 1) };
      expect(await alice.send(at().apis[1], large)).toMatchObject({ status: 200 });
      const small = { ...to, messageId: randomUUID(), body: 'small' };
      expect(await alice.send(at().apis[1], small)).toMatchObject({ status: 200 });
      await untilPushed(fcmToken, 2);
      const pushed = pushesTo(fcmToken).map(({ message }) => (message['data'] as { messageId: string }).messageId);
      expect(pushed.sort()).toEqual([large.messageId, small.messageId].sort());
      await inbox.waitFor(({ messageId }) => messageId === small.messageId);
      expect(inbox.all.map(({ messageId }) => messageId)).toEqual([small.messageId]);
      const listed = await bob.app.list('notifications');
      expect(listed.map(({ messageId }) => messageId)).toEqual([large.messageId, small.messageId]);
      expect(listed[0]?.body === large.body).toBe(true);
    });

    test('messages in other boxes and duplicates push nothing', async () => {
      const bob = await listener();
      const fcmToken = `token:${randomUUID()}`;
      await bob.client.registerDevice({ fcmToken });
      const alice = someone();
      const message = { recipient: bob.key, messageBox: 'notifications', messageId: randomUUID(), body: 'once' };
      for (const more of [{ messageBox: 'inbox', messageId: randomUUID() }, {}, {}]) {
        expect(await alice.send(at().apis[0], { ...message, ...more })).toMatchObject({ status: 200 });
      }
      // Later messages are pushed later.
      const last = { ...message, messageId: randomUUID() };
      await alice.send(at().apis[1], last);
      await waitUntil('the last one came', () =>
        pushesTo(fcmToken).some(
          ({ message: { notification } }) => (notification as { body: string }).body === last.messageId,
        ),
      );
      await untilPushed(fcmToken, 2);
      expect(pushesTo(fcmToken)).toHaveLength(2);
    });

    test('a dead token is listed as inactive', async () => {
      const bob = await listener();
      const fcmToken = `token:${randomUUID()}`;
      await bob.client.registerDevice({ fcmToken });
      fcm.answer = ({ token }) => (token === fcmToken ? UNREGISTERED_ANSWER : undefined);
      await someone().createApp(at().apis[0]).client.sendNotification(bob.key, 'anybody there?', at().apis[0]);
      await waitUntil('it is inactive', async () => (await bob.client.listRegisteredDevices())[0]?.active === false);
      expect(pushesTo(fcmToken)).toHaveLength(1);
    });

    test('a burst to many devices sends each push once', async () => {
      const bob = await listener();
      const tokens = Array.from({ length: 4 }, () => `token:${randomUUID()}`);
      for (const fcmToken of tokens) await bob.client.registerDevice({ fcmToken });
      const alice = someone();
      const ids = Array.from({ length: 25 }, () => randomUUID());
      await Promise.all(
        ids.map((messageId, n) =>
          alice.send(at().apis[n % 2] as string, {
            recipient: bob.key,
            messageBox: 'notifications',
            messageId,
            body: 'burst',
          }),
        ),
      );
      for (const token of tokens) await untilPushed(token, ids.length);
      for (const token of tokens) {
        const got = pushesTo(token).map(({ message }) => (message['data'] as { messageId: string }).messageId);
        expect(got.sort()).toEqual([...ids].sort());
      }
    });

    const UNREGISTERED = {
      status: 200,
      body: { status: 'success', message: 'Device unregistered from push notifications' },
    };

    test('two profiles of one device get their own pushes, and after a logout only the other one', async () => {
      const [first, second] = [await listener(), await listener()];
      const fcmToken = `token:${randomUUID()}`;
      const ids = await Promise.all(
        [first, second].map(
          async ({ client }, n) => (await client.registerDevice({ fcmToken }, at().apis[n])).deviceId,
        ),
      );
      expect(ids[0]).not.toBe(ids[1]);
      const alice = someone();
      const sendTo = async (recipient: string) => {
        const messageId = randomUUID();
        const message = { recipient, messageBox: 'notifications', messageId, body: 'hello' };
        expect(await alice.send(at().apis[1], message)).toMatchObject({ status: 200 });
        return { messageId, messageBox: 'notifications', recipient, sender: alice.key, originator: alice.key };
      };
      const told = [await sendTo(first.key), await sendTo(second.key)];
      await untilPushed(fcmToken, 2);
      expect(dataOf(fcmToken)).toEqual(expect.arrayContaining(told));

      expect(await first.person.post(`${at().apis[1]}/unregisterDevice`, { fcmToken })).toEqual(UNREGISTERED);
      expect(await first.client.listRegisteredDevices(at().apis[0])).toEqual([]);
      await sendTo(first.key);
      told.push(await sendTo(second.key));
      await waitUntil('the other profile is told', () =>
        dataOf(fcmToken).some(({ messageId }) => messageId === told[2]?.messageId),
      );
      expect(dataOf(fcmToken).filter(({ recipient }) => recipient === first.key)).toHaveLength(1);
      expect(dataOf(fcmToken).filter(({ recipient }) => recipient === second.key)).toHaveLength(2);
      expect(await second.client.listRegisteredDevices()).toMatchObject([{ id: ids[1], active: true }]);
    });

    test('a token of another identity can be unregistered: that succeeds, and changes nothing', async () => {
      const [bob, stranger] = [await listener(), await listener()];
      const fcmToken = `token:${randomUUID()}`;
      await bob.client.registerDevice({ fcmToken });
      const before = await bob.client.listRegisteredDevices();
      for (const token of [fcmToken, `token:${randomUUID()}`]) {
        const answer = await stranger.person.post(`${at().apis[0]}/unregisterDevice`, { fcmToken: token });
        expect(answer).toEqual(UNREGISTERED);
      }
      expect(await bob.client.listRegisteredDevices()).toEqual(before);
    });

    test('a dead token is inactive for each of its profiles', async () => {
      const [first, second] = [await listener(), await listener()];
      const fcmToken = `token:${randomUUID()}`;
      for (const { client } of [first, second]) await client.registerDevice({ fcmToken });
      fcm.answer = ({ token }) => (token === fcmToken ? UNREGISTERED_ANSWER : undefined);
      await someone().createApp(at().apis[0]).client.sendNotification(first.key, 'anybody there?', at().apis[0]);
      for (const { client } of [first, second]) {
        await waitUntil('it is inactive', async () => (await client.listRegisteredDevices())[0]?.active === false);
      }
    });

    test('a box with a text of its own is pushed with that text', async () => {
      const bob = await listener();
      const fcmToken = `token:${randomUUID()}`;
      await bob.client.registerDevice({ fcmToken });
      const alice = someone();
      const messageId = randomUUID();
      const message = { recipient: bob.key, messageBox: 'payment_inbox', messageId, body: 'a secret' };
      expect(await alice.send(at().apis[0], message)).toMatchObject({ status: 200 });
      await untilPushed(fcmToken);
      expect(pushesTo(fcmToken)[0]?.message).toMatchObject({
        notification: { title: 'Payment received', body: 'Open the app to view it.' },
        data: { messageId, messageBox: 'payment_inbox', recipient: bob.key, sender: alice.key },
      });
      expect(JSON.stringify(pushesTo(fcmToken))).not.toContain('a secret');
    });

    test('a message that is not urgent pushes nothing, over HTTP and live', async () => {
      const bob = await listener();
      const fcmToken = `token:${randomUUID()}`;
      await bob.client.registerDevice({ fcmToken });
      const alice = someone();
      const create = (more: object) => ({
        recipient: bob.key,
        messageBox: 'notifications',
        messageId: randomUUID(),
        body: 'quiet',
        ...more,
      });
      const quiet = create({ urgent: false });
      expect(await alice.send(at().apis[0], quiet)).toMatchObject({ status: 200 });
      const socket = await alice.connect(at().realtimes[1]);
      const roomId = `${bob.key}-notifications`;
      const { messageBox: _box, ...live } = create({ urgent: false });
      expect(await socket.request('sendMessage', { roomId, message: live }, `sendMessageAck-${roomId}`)).toMatchObject({
        status: 'success',
      });
      const urgent = [create({ urgent: true }), create({ urgent: null })];
      for (const message of urgent) await alice.send(at().apis[1], message);
      await untilPushed(fcmToken, 2);
      expect(
        dataOf(fcmToken)
          .map(({ messageId }) => messageId)
          .sort(),
      ).toEqual(urgent.map(({ messageId }) => messageId).sort());
      expect(await bob.app.list('notifications')).toHaveLength(4);
    });

    if (clients.kind === 'registry') {
      test('a message that was paid for is pushed, too', async () => {
        for (const method of ['log', 'warn', 'error'] as const) jest.spyOn(console, method).mockReturnValue();
        const bob = await listener();
        const fcmToken = `token:${randomUUID()}`;
        await bob.client.registerDevice({ fcmToken });
        await bob.person.post(`${at().apis[0]}/permissions/set`, { messageBox: 'payment_inbox', recipientFee: 25 });
        const alice = await Payer.open(at().overlays[0] ?? at().apis[0], 50_000);
        const app = new RegistryApp(alice.wallet, alice.key, { http: at().apis[0], live: at().realtimes[0] });
        try {
          const message = { recipient: bob.key, messageBox: 'payment_inbox', body: 'worth it', checkPermissions: true };
          const { messageId } = await app.client.sendMessage(message, at().apis[0]);
          await untilPushed(fcmToken);
          expect(dataOf(fcmToken)).toMatchObject([{ messageId, messageBox: 'payment_inbox', sender: alice.key }]);
          expect(await alice.countPaidSatoshis()).toBe(25);
        } finally {
          jest.restoreAllMocks();
          app.close();
          await alice.close();
        }
      });
    }
  });
}
