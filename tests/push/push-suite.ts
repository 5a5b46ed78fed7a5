import { randomBytes } from 'node:crypto';
import { PushOutbox } from '@messagebox/store';
import {
  createFcmError,
  createThrottledAnswer,
  type FcmServer,
  startFcmServer,
  UNREGISTERED_ANSWER,
} from '@messagebox/test-support/fcm-server';
import { waitUntil } from '../acceptance/history.js';
import { BOB, readPushCount } from './fixtures.js';
import { type Instance, listPushed, type PushDeployment, startInstance } from './push-deployment.js';

/** Pushing, on each database. */
export function pushSuite(name: string, makePlace: () => Promise<PushDeployment>): void {
  describe(name, () => {
    let place: PushDeployment;
    let server: FcmServer;
    const open: Instance[] = [];
    beforeEach(async () => {
      place = await makePlace();
      server = await startFcmServer();
    });
    afterEach(async () => {
      for (const instance of open.splice(0)) await instance.close();
      await server.close();
      await place.remove();
    });
    const instance = async (env?: Record<string, string>): Promise<Instance> => {
      const opened = await startInstance(place, server, env);
      open.push(opened);
      return opened;
    };
    const somebody = () => `02${randomBytes(32).toString('hex')}`;
    const emptied = ({ outbox }: Instance) =>
      waitUntil('the outbox is empty', async () => (await outbox.countUpTo(10)) === 0);
    const sent = ({ metrics }: Instance, count: number) =>
      waitUntil(`${count} are counted as sent`, async () => (await readPushCount(metrics, 'sent')) >= count);

    test('each active device of the recipient gets the push, other devices do not, and the row is deleted', async () => {
      const at = await instance();
      const [alice, carol] = [somebody(), somebody()];
      const [one, two, dead] = [await at.device(alice), await at.device(alice), await at.device(alice)];
      await at.device(carol);
      await at.devices.deactivateToken({ fcmToken: dead.token, webPushKeys: undefined });
      const before = new Date(Date.now() - 3_600_000);
      await at.devices.markUsed(one.id, before);
      const push = await at.push();
      const [id] = await at.store(alice, somebody());
      push?.notify();
      await server.waitUntilReceived(2);
      await sent(at, 2);
      await emptied(at);
      expect(listPushed(server)).toEqual([`${one.token} ${id}`, `${two.token} ${id}`].sort());
      expect(server.received[0]?.message).toMatchObject({ data: { originator: BOB } });
      await waitUntil('its use is noted', async () => {
        const used = (await at.devices.find(one.id))?.lastUsed ?? before;
        return used > before;
      });
    });

    test('each identity of a token gets its own pushes, which name it and the box', async () => {
      const at = await instance({ PUSH_BOXES: 'notifications,invoices=You got an invoice|See what it costs.' });
      const [alice, carol] = [somebody(), somebody()];
      const { token } = await at.device(alice);
      await at.device(carol, token);
      await at.push();
      const [one, two] = await at.store(alice, carol);
      const [invoice] = await at.storeIn('invoices', carol);
      await at.storeIn('inbox', alice, carol);
      await at.storeIn('Invoices', alice);
      const [last] = await at.store(alice);
      await sent(at, 4);
      await emptied(at);
      const pushed = server.received.map(({ message }) => [message['notification'], message['data']]);
      const told = (
        recipient: string,
        messageBox: string,
        messageId: string | undefined,
        title: string,
        body = messageId,
      ) => [
        { title, body },
        { messageId, messageBox, recipient, sender: BOB, originator: BOB },
      ];
      expect(pushed).toHaveLength(4);
      expect(pushed).toEqual(
        expect.arrayContaining([
          told(alice, 'notifications', one, 'New Message'),
          told(carol, 'notifications', two, 'New Message'),
          told(carol, 'invoices', invoice, 'You got an invoice', 'See what it costs.'),
          told(alice, 'notifications', last, 'New Message'),
        ]),
      );
      expect(new Set(server.received.map((push) => push.token))).toEqual(new Set([token]));
    });

    test('what waits for a registration is not sent after its end, and its other identities get theirs', async () => {
      const at = await instance();
      const [alice, carol] = [somebody(), somebody()];
      const { token } = await at.device(alice);
      await at.device(carol, token);
      const [, kept] = await at.store(alice, carol);
      // As an instance leaves it that dies after its claim.
      expect(await at.outbox.claim(10, 0)).toHaveLength(2);
      await at.devices.unregister(alice, token);
      const [later] = await at.store(carol, alice);
      await at.push();
      await sent(at, 2);
      await emptied(at);
      expect(listPushed(server)).toEqual([`${token} ${kept}`, `${token} ${later}`].sort());
      expect(await readPushCount(at.metrics, 'skipped')).toBe(1);
    });

    test('a row without a box, of an older version, is pushed as one of notifications', async () => {
      const at = await instance({ PUSH_BOXES: 'notifications=News|Look.' });
      const alice = somebody();
      await at.device(alice);
      const [id] = await at.store(alice);
      await at.foundation.sql.write({ text: 'UPDATE push_outbox SET message_box = NULL', kind: 'dynamic' }, []);
      await at.push();
      await sent(at, 1);
      expect(server.received[0]?.message).toMatchObject({
        notification: { title: 'News', body: 'Look.' },
        data: { messageId: id, messageBox: 'notifications' },
      });
    });

    test('a process pushes what another one left when it died between commit and hint', async () => {
      const at = await instance();
      const alice = somebody();
      const { token } = await at.device(alice);
      const ids = await at.store(alice, alice);
      await at.push({ intervalMs: 3_600_000 });
      await server.waitUntilReceived(2);
      await sent(at, 2);
      expect(listPushed(server)).toEqual(ids.map((id) => `${token} ${id}`).sort());
    });

    test('without a hint, the regular look finds the message', async () => {
      const at = await instance();
      const alice = somebody();
      const { token } = await at.device(alice);
      await at.push();
      const [id] = await at.store(alice);
      await server.waitUntilReceived(1);
      expect(listPushed(server)).toEqual([`${token} ${id}`]);
      await sent(at, 1);
    });

    test('a row that another instance has claimed is left to it until its lease ends', async () => {
      const at = await instance();
      const alice = somebody();
      const { token } = await at.device(alice);
      const [lost] = await at.store(alice);
      // An instance dies after it has claimed the row.
      const [row] = await at.outbox.claim(10, 3_600_000);
      const [next] = await at.store(alice);
      await at.push();
      await sent(at, 1);
      expect(listPushed(server)).toEqual([`${token} ${next}`]);
      // Its lease ends.
      await at.outbox.extend([row?.id ?? 0], 0);
      await server.waitUntilReceived(2);
      expect(listPushed(server)).toEqual([`${token} ${lost}`, `${token} ${next}`].sort());
      await sent(at, 2);
    });

    test('a delivery that could not be removed after its push is pushed once', async () => {
      const at = await instance();
      const alice = somebody();
      const { token } = await at.device(alice);
      const [first] = await at.store(alice);
      const remove = jest.spyOn(PushOutbox.prototype, 'remove').mockRejectedValueOnce(new Error('gone'));
      try {
        const push = await at.push({ leaseMs: 1_000 });
        await server.waitUntilReceived(1);
        await sent(at, 1);
        await emptied(at);
        expect(remove.mock.calls.length).toBeGreaterThan(1);
        const [second] = await at.store(alice);
        push?.notify();
        await server.waitUntilReceived(2);
        await sent(at, 2);
        expect(listPushed(server)).toEqual([`${token} ${first}`, `${token} ${second}`].sort());
      } finally {
        remove.mockRestore();
      }
    });

    test('a push that got 429 with Retry-After is not tried again sooner', async () => {
      const at = await instance();
      const alice = somebody();
      await at.device(alice);
      let first = true;
      server.answer = () => {
        if (!first) return undefined;
        first = false;
        return createThrottledAnswer(undefined, 2);
      };
      await at.store(alice);
      await at.push();
      await server.waitUntilReceived(2);
      const [a, b] = server.received;
      expect((b?.at ?? 0) - (a?.at ?? 0)).toBeGreaterThanOrEqual(1_950);
      await sent(at, 1);
      expect(await readPushCount(at.metrics, 'retried')).toBe(1);
    });

    test('a throttled device does not delay pushes to others', async () => {
      const at = await instance();
      const [busy, alice] = [somebody(), somebody()];
      const device = await at.device(busy);
      const { token } = await at.device(alice);
      server.answer = (push) => (push.token === device.token ? createThrottledAnswer() : undefined);
      const push = await at.push();
      await at.store(...Array.from({ length: 50 }, () => busy));
      push?.notify();
      await waitUntil('all were tried', async () => (await readPushCount(at.metrics, 'retried')) >= 50);
      const ids = await at.store(...Array.from({ length: 20 }, () => alice));
      push?.notify();
      await sent(at, 20);
      expect(listPushed(server).filter((line) => line.startsWith(token))).toEqual(
        ids.map((id) => `${token} ${id}`).sort(),
      );
    });

    test('hundreds of pushes that wait for a long pause are all sent after it, not in one instant', async () => {
      const at = await instance();
      const owners = Array.from({ length: 300 }, somebody);
      for (const owner of owners) await at.device(owner);
      let quietUntil = 0;
      server.answer = () => {
        if (quietUntil === 0) quietUntil = Date.now() + 2_000;
        return Date.now() < quietUntil ? { status: 503, headers: { 'retry-after': '2' } } : undefined;
      };
      await at.store(...owners);
      await at.push();
      await sent(at, 300);
      expect(await readPushCount(at.metrics, 'retried')).toBeLessThanOrEqual(16);
      const times = server.received.map(({ at: time }) => time).filter((time) => time >= quietUntil);
      expect(times).toHaveLength(300);
      expect(Math.max(...times) - Math.min(...times)).toBeGreaterThan(500);
      expect(await at.metrics.registry.metrics()).not.toMatch(/^messagebox_jobs_total\{.*outcome="failed"/m);
      expect(at.lines.filter((line) => line.includes('FCM has asked for a pause'))).toHaveLength(1);
    });

    test('pushes that waited until their messages are too old end as expired', async () => {
      const at = await instance();
      const alice = somebody();
      await at.device(alice);
      server.answer = () => ({ status: 503, headers: { 'retry-after': '2' } });
      await at.store(...Array.from({ length: 50 }, () => alice));
      await at.push({ maxAgeMs: 1_500 });
      await waitUntil('all have expired', async () => (await readPushCount(at.metrics, 'expired')) === 50);
      await emptied(at);
      expect(server.received.length).toBeLessThanOrEqual(16);
    });

    test('a token of another project is refused, and no job fails because of it', async () => {
      const at = await instance();
      const alice = somebody();
      const { id } = await at.device(alice);
      server.answer = () => createFcmError(403, 'PERMISSION_DENIED', 'SenderId mismatch', 'SENDER_ID_MISMATCH');
      await at.store(alice);
      await at.push();
      await waitUntil('it is refused', async () => (await readPushCount(at.metrics, 'refused')) === 1);
      await emptied(at);
      expect(await at.metrics.registry.metrics()).toMatch(/^messagebox_jobs_total\{.*outcome="completed".*\} 1$/m);
      const levels = at.lines.map((line) => JSON.parse(line) as { level: number; msg: string });
      expect(levels).toContainEqual(expect.objectContaining({ level: 30, msg: 'a push was refused' }));
      expect(levels.filter(({ level }) => level > 30)).toEqual([]);
      expect(await at.devices.find(id)).toMatchObject({ active: true });
    });

    test('a missing APNs key is logged as such, and the access token stays', async () => {
      const at = await instance();
      const alice = somebody();
      const [phone, other] = [await at.device(alice), await at.device(alice)];
      server.answer = ({ token }) =>
        token === phone.token
          ? createFcmError(401, 'UNAUTHENTICATED', 'Auth error from APNS', 'THIRD_PARTY_AUTH_ERROR')
          : undefined;
      await at.store(alice, alice, alice);
      await at.push();
      await sent(at, 3);
      await waitUntil('they are refused', async () => (await readPushCount(at.metrics, 'refused')) === 3);
      expect(at.lines.filter((line) => line.includes('service account'))).toEqual([]);
      expect(at.lines.filter((line) => line.includes('see to the APNs key'))).toHaveLength(3);
      expect(server.tokenRequests).toBe(1);
      expect(listPushed(server).filter((line) => line.startsWith(other.token))).toHaveLength(3);
      expect(server.received).toHaveLength(6);
    });

    test('a push that fails with 500 twice is sent by the third attempt', async () => {
      const at = await instance();
      const alice = somebody();
      await at.device(alice);
      server.answer = () => (server.received.length < 3 ? { status: 500, body: 'no' } : undefined);
      await at.store(alice);
      await at.push();
      await server.waitUntilReceived(3);
      await sent(at, 1);
    });

    test('a dead token becomes inactive and is not tried again, until it is registered again', async () => {
      const at = await instance();
      const alice = somebody();
      const [gone, alive] = [await at.device(alice), await at.device(alice)];
      server.answer = ({ token }) => (token === gone.token ? UNREGISTERED_ANSWER : undefined);
      await at.store(alice);
      const push = await at.push();
      await server.waitUntilReceived(2);
      await waitUntil('it is inactive', async () => (await at.devices.find(gone.id))?.active === false);
      const [second] = await at.store(alice);
      push?.notify();
      await server.waitUntilReceived(3);
      await sent(at, 2);
      expect(listPushed(server).filter((line) => line.startsWith(gone.token))).toHaveLength(1);
      expect(listPushed(server)).toContain(`${alive.token} ${second}`);
      expect(await readPushCount(at.metrics, 'dead_token')).toBe(1);

      server.answer = () => undefined;
      const again = { identityKey: alice, fcmToken: gone.token, deviceId: undefined, platform: undefined };
      expect(await at.devices.register(again)).toBe(gone.id);
      const [third] = await at.store(alice);
      push?.notify();
      await server.waitUntilReceived(5);
      expect(listPushed(server)).toContain(`${gone.token} ${third}`);
      await sent(at, 4);
    });

    test('a registration that an older version gives to another identity hears nothing of messages to the old one', async () => {
      const at = await instance();
      const [alice, mallory] = [somebody(), somebody()];
      const { id } = await at.device(alice);
      const move = { text: 'UPDATE device_registrations SET identity_key = ? WHERE id = ?', kind: 'dynamic' } as const;
      server.answer = async () => {
        if (server.received.length > 1) return undefined;
        // Before the first attempt has ended, and so before the next.
        await at.foundation.sql.write(move, [Buffer.from(mallory), id]);
        return { status: 500 };
      };
      await at.store(alice);
      const push = await at.push();
      await waitUntil('it is skipped', async () => (await readPushCount(at.metrics, 'skipped')) === 1);
      const [own] = await at.store(mallory);
      push?.notify();
      await server.waitUntilReceived(2);
      expect(server.received[1]?.message).toMatchObject({ data: { messageId: own, recipient: mallory } });
      await sent(at, 1);
    });

    test('a registration that ends while its push fails is not tried again', async () => {
      const at = await instance();
      const [alice, carol] = [somebody(), somebody()];
      const { token } = await at.device(alice);
      await at.device(carol, token);
      server.answer = async () => {
        if (server.received.length > 1) return undefined;
        await at.devices.unregister(alice, token);
        return { status: 500 };
      };
      await at.store(alice);
      const push = await at.push();
      await waitUntil('it is skipped', async () => (await readPushCount(at.metrics, 'skipped')) === 1);
      const [own] = await at.store(carol);
      push?.notify();
      await server.waitUntilReceived(2);
      expect(server.received[1]?.message).toMatchObject({ data: { messageId: own, recipient: carol } });
      await sent(at, 1);
    });

    test('bad credentials cause one clear log line without secrets, and messages stay stored', async () => {
      const stranger = await startFcmServer('stranger');
      await stranger.close();
      const { private_key } = JSON.parse(stranger.accountJson) as { private_key: string };
      const account = JSON.stringify({ ...JSON.parse(server.accountJson), private_key });
      const at = await instance({ FIREBASE_SERVICE_ACCOUNT_JSON: account });
      const alice = somebody();
      const { token } = await at.device(alice);
      await at.push();
      await at.store(...Array.from({ length: 20 }, () => alice));
      await waitUntil('all were tried', async () => (await readPushCount(at.metrics, 'retried')) >= 20);
      const clear = at.lines.filter((line) => line.includes('does not accept the service account'));
      expect(clear).toHaveLength(1);
      expect(clear[0]).toMatch(/FIREBASE_SERVICE_ACCOUNT_.*FIREBASE_PROJECT_ID/);
      const log = at.lines.join('');
      expect(log).not.toContain(private_key.split('\n')[1]);
      expect(log).not.toContain(token);
      expect(log).not.toMatch(/assertion/);
      expect(server.received).toEqual([]);
      expect(server.tokenRequests).toBeLessThan(5);
      const listing = { recipient: alice, messageBox: 'notifications', maxBytes: 1_000_000 };
      expect((await at.foundation.store.listMessages(listing)).messages).toHaveLength(20);
    });

    test('a message that is two days old is not announced', async () => {
      const at = await instance();
      const alice = somebody();
      const { token } = await at.device(alice);
      const message = { recipient: alice, messageBox: 'notifications', messageId: 'old', sender: BOB, body: 'b' };
      await at.outbox.add(at.foundation.sql, [message], Date.now() - 2 * 86_400_000);
      const [fresh] = await at.store(alice);
      await at.push();
      await server.waitUntilReceived(1);
      await emptied(at);
      await sent(at, 1);
      expect(listPushed(server)).toEqual([`${token} ${fresh}`]);
      expect(await readPushCount(at.metrics, 'expired')).toBe(1);
    });

    test('while FCM fails, no more deliveries are made than one batch, however many devices a message has', async () => {
      const at = await instance();
      const alice = somebody();
      for (let n = 0; n < 20; n++) await at.device(alice);
      server.answer = () => ({ status: 503, headers: { 'retry-after': '3600' } });
      await at.store(...Array.from({ length: 30 }, () => alice));
      await at.push();
      await waitUntil('100 wait for their time', async () =>
        /^messagebox_jobs_kept\{.*state="delayed".*\} 100$/m.test(await at.metrics.registry.metrics()),
      );
      // The other 25 messages have no deliveries.
      expect(await at.outbox.countUpTo(1_000)).toBe(100 + 25);
    });

    test('while FCM fails, most of what waits is left alone', async () => {
      const at = await instance();
      const alice = somebody();
      await at.device(alice);
      server.answer = () => ({ status: 503, headers: { 'retry-after': '3600' } });
      await at.store(...Array.from({ length: 500 }, () => alice));
      await at.push();
      await waitUntil('100 wait for their time', async () =>
        /^messagebox_jobs_kept\{.*state="delayed".*\} 100$/m.test(await at.metrics.registry.metrics()),
      );
      expect(await at.outbox.claim(1_000, 1)).toHaveLength(400);
      expect(server.received.length).toBeLessThanOrEqual(16);
    });

    test('while the database can’t be read, deliveries wait, and the log says so in one line', async () => {
      const at = await instance();
      const alice = somebody();
      await at.device(alice);
      await at.store(alice);
      const claim = jest.spyOn(PushOutbox.prototype, 'claim').mockRejectedValue(new Error('away'));
      try {
        await at.push();
        await waitUntil('it was tried', () => claim.mock.calls.length > 2);
        expect(server.received).toEqual([]);
        claim.mockRestore();
        await sent(at, 1);
        await waitUntil('it goes on', () => at.lines.some((line) => line.includes('push delivery resumed')));
        for (const text of ['push delivery paused', 'push delivery resumed']) {
          expect(at.lines.filter((line) => line.includes(text))).toHaveLength(1);
        }
      } finally {
        claim.mockRestore();
      }
    });

    test('the numbers of jobs say how many pushes have failed', async () => {
      const at = await instance();
      const alice = somebody();
      await at.device(alice);
      server.answer = () => createFcmError(401, 'UNAUTHENTICATED', 'Auth error from APNS', 'THIRD_PARTY_AUTH_ERROR');
      await at.store(alice, alice);
      await at.push();
      await emptied(at);
      const text = await at.metrics.registry.metrics();
      expect(text).toMatch(/^messagebox_jobs_kept\{.*queue="push",state="failed".*\} 2$/m);
      expect(text).toMatch(/^messagebox_jobs_total\{.*queue="push",name="push",outcome="failed".*\} 2$/m);
      expect(text).toMatch(/^messagebox_job_duration_seconds_count\{.*queue="push",name="push".*\} 2$/m);
    });
  });
}
