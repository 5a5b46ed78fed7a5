import { randomBytes } from 'node:crypto';
import { PushOutbox } from '@messagebox/shared';
import { until } from '../acceptance/history.js';
import { type FcmServer, fcmError, startFcmServer, throttled, unregistered } from '../support/fcm-server.js';
import { BOB, countOf } from './fixtures.js';
import { type Instance, openInstance, type Place, pushed } from './pusher.js';

/** What pushing does, whatever keeps its rows and jobs. */
export function pushSuite(name: string, makePlace: () => Promise<Place>): void {
  describe(name, () => {
    let place: Place;
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
      const opened = await openInstance(place, server, env);
      open.push(opened);
      return opened;
    };
    const somebody = () => `02${randomBytes(32).toString('hex')}`;
    const emptied = ({ outbox }: Instance) => until('the outbox is empty', async () => (await outbox.size(10)) === 0);
    const sent = ({ metrics }: Instance, count: number) =>
      until(`${count} are counted as sent`, async () => (await countOf(metrics, 'sent')) >= count);

    test('each active device of the recipient is told, nobody else’s, and the row goes', async () => {
      const at = await instance();
      const [alice, carol] = [somebody(), somebody()];
      const [one, two, dead] = [await at.device(alice), await at.device(alice), await at.device(alice)];
      await at.device(carol);
      await at.devices.deactivate(dead.id);
      const before = new Date(Date.now() - 3_600_000);
      await at.devices.used(one.id, before);
      const push = await at.push();
      const [id] = await at.store(alice, somebody());
      push?.wake();
      await server.untilReceived(2);
      await sent(at, 2);
      await emptied(at);
      expect(pushed(server)).toEqual([`${one.token} ${id}`, `${two.token} ${id}`].sort());
      expect(server.received[0]?.message).toMatchObject({ data: { originator: BOB } });
      await until('its use is noted', async () => {
        const used = (await at.devices.find(one.id))?.lastUsed ?? before;
        return used > before;
      });
    });

    test('what a process has left that died between commit and hint is pushed by the next', async () => {
      const at = await instance();
      const alice = somebody();
      const { token } = await at.device(alice);
      const ids = await at.store(alice, alice);
      await at.push({ everyMs: 3_600_000 });
      await server.untilReceived(2);
      await sent(at, 2);
      expect(pushed(server)).toEqual(ids.map((id) => `${token} ${id}`).sort());
    });

    test('without a hint the regular look finds it', async () => {
      const at = await instance();
      const alice = somebody();
      const { token } = await at.device(alice);
      await at.push();
      const [id] = await at.store(alice);
      await server.untilReceived(1);
      expect(pushed(server)).toEqual([`${token} ${id}`]);
      await sent(at, 1);
    });

    test('a row that another instance is busy with is left to it until its time is up', async () => {
      const at = await instance();
      const alice = somebody();
      const { token } = await at.device(alice);
      const [lost] = await at.store(alice);
      // Dies after it has taken the row.
      const [row] = await at.outbox.claim(10, 3_600_000);
      const [next] = await at.store(alice);
      await at.push();
      await sent(at, 1);
      expect(pushed(server)).toEqual([`${token} ${next}`]);
      // Its time is up.
      await at.outbox.extend([row?.id ?? 0], 0);
      await server.untilReceived(2);
      expect(pushed(server)).toEqual([`${token} ${lost}`, `${token} ${next}`].sort());
      await sent(at, 2);
    });

    test('what died after its jobs were kept and before its row went is pushed once', async () => {
      const at = await instance();
      const alice = somebody();
      const { token } = await at.device(alice);
      const [first] = await at.store(alice);
      const remove = jest.spyOn(PushOutbox.prototype, 'remove').mockRejectedValueOnce(new Error('gone'));
      try {
        const push = await at.push({ leaseMs: 1_000 });
        await server.untilReceived(1);
        await sent(at, 1);
        await emptied(at);
        expect(remove.mock.calls.length).toBeGreaterThan(1);
        const [second] = await at.store(alice);
        push?.wake();
        await server.untilReceived(2);
        await sent(at, 2);
        expect(pushed(server)).toEqual([`${token} ${first}`, `${token} ${second}`].sort());
      } finally {
        remove.mockRestore();
      }
    });

    test('429 with retry-after: tried again, not sooner', async () => {
      const at = await instance();
      const alice = somebody();
      await at.device(alice);
      let first = true;
      server.answer = () => {
        if (!first) return undefined;
        first = false;
        return throttled(undefined, 2);
      };
      await at.store(alice);
      await at.push();
      await server.untilReceived(2);
      const [a, b] = server.received;
      expect((b?.at ?? 0) - (a?.at ?? 0)).toBeGreaterThanOrEqual(1_950);
      await sent(at, 1);
      expect(await countOf(at.metrics, 'retried')).toBe(1);
    });

    test('a throttled device holds up nobody else', async () => {
      const at = await instance();
      const [busy, alice] = [somebody(), somebody()];
      const device = await at.device(busy);
      const { token } = await at.device(alice);
      server.answer = (push) => (push.token === device.token ? throttled() : undefined);
      const push = await at.push();
      await at.store(...Array.from({ length: 50 }, () => busy));
      push?.wake();
      await until('all were tried', async () => (await countOf(at.metrics, 'retried')) >= 50);
      const ids = await at.store(...Array.from({ length: 20 }, () => alice));
      push?.wake();
      await sent(at, 20);
      expect(pushed(server).filter((line) => line.startsWith(token))).toEqual(ids.map((id) => `${token} ${id}`).sort());
    });

    test('hundreds that are held up by a long pause are all sent after it, not in one instant', async () => {
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
      expect(await countOf(at.metrics, 'retried')).toBeLessThanOrEqual(16);
      const times = server.received.map(({ at: time }) => time).filter((time) => time >= quietUntil);
      expect(times).toHaveLength(300);
      expect(Math.max(...times) - Math.min(...times)).toBeGreaterThan(500);
      expect(await at.metrics.registry.metrics()).not.toMatch(/^messagebox_jobs_total\{.*outcome="failed"/m);
      expect(at.lines.filter((line) => line.includes('FCM has asked for a pause'))).toHaveLength(1);
    });

    test('what was held up until nobody wants to hear of it any more ends as expired', async () => {
      const at = await instance();
      const alice = somebody();
      await at.device(alice);
      server.answer = () => ({ status: 503, headers: { 'retry-after': '2' } });
      await at.store(...Array.from({ length: 50 }, () => alice));
      await at.push({ maxAgeMs: 1_500 });
      await until('all have expired', async () => (await countOf(at.metrics, 'expired')) === 50);
      await emptied(at);
      expect(server.received.length).toBeLessThanOrEqual(16);
    });

    test('a token of somebody’s own project is refused, and no job fails by it', async () => {
      const at = await instance();
      const alice = somebody();
      const { id } = await at.device(alice);
      server.answer = () => fcmError(403, 'PERMISSION_DENIED', 'SenderId mismatch', 'SENDER_ID_MISMATCH');
      await at.store(alice);
      await at.push();
      await until('it is refused', async () => (await countOf(at.metrics, 'refused')) === 1);
      await emptied(at);
      expect(await at.metrics.registry.metrics()).toMatch(/^messagebox_jobs_total\{.*outcome="completed".*\} 1$/m);
      const levels = at.lines.map((line) => JSON.parse(line) as { level: number; msg: string });
      expect(levels).toContainEqual(expect.objectContaining({ level: 30, msg: 'a push was refused' }));
      expect(levels.filter(({ level }) => level > 30)).toEqual([]);
      expect(await at.devices.find(id)).toMatchObject({ active: true });
    });

    test('a missing APNs key is told as such, and costs nobody the access token', async () => {
      const at = await instance();
      const alice = somebody();
      const [phone, other] = [await at.device(alice), await at.device(alice)];
      server.answer = ({ token }) =>
        token === phone.token
          ? fcmError(401, 'UNAUTHENTICATED', 'Auth error from APNS', 'THIRD_PARTY_AUTH_ERROR')
          : undefined;
      await at.store(alice, alice, alice);
      await at.push();
      await sent(at, 3);
      await until('they are refused', async () => (await countOf(at.metrics, 'refused')) === 3);
      expect(at.lines.filter((line) => line.includes('service account'))).toEqual([]);
      expect(at.lines.filter((line) => line.includes('see to the APNs key'))).toHaveLength(3);
      expect(server.tokenRequests).toBe(1);
      expect(pushed(server).filter((line) => line.startsWith(other.token))).toHaveLength(3);
      expect(server.received).toHaveLength(6);
    });

    test('500 twice, then it goes', async () => {
      const at = await instance();
      const alice = somebody();
      await at.device(alice);
      server.answer = () => (server.received.length < 3 ? { status: 500, body: 'no' } : undefined);
      await at.store(alice);
      await at.push();
      await server.untilReceived(3);
      await sent(at, 1);
    });

    test('a dead token becomes inactive and is not tried again, until it is registered again', async () => {
      const at = await instance();
      const alice = somebody();
      const [gone, alive] = [await at.device(alice), await at.device(alice)];
      server.answer = ({ token }) => (token === gone.token ? unregistered : undefined);
      await at.store(alice);
      const push = await at.push();
      await server.untilReceived(2);
      await until('it is inactive', async () => (await at.devices.find(gone.id))?.active === false);
      const [second] = await at.store(alice);
      push?.wake();
      await server.untilReceived(3);
      await sent(at, 2);
      expect(pushed(server).filter((line) => line.startsWith(gone.token))).toHaveLength(1);
      expect(pushed(server)).toContain(`${alive.token} ${second}`);
      expect(await countOf(at.metrics, 'dead_token')).toBe(1);

      server.answer = () => undefined;
      const again = { identityKey: alice, fcmToken: gone.token, deviceId: undefined, platform: undefined };
      expect(await at.devices.register(again)).toBe(gone.id);
      const [third] = await at.store(alice);
      push?.wake();
      await server.untilReceived(5);
      expect(pushed(server)).toContain(`${gone.token} ${third}`);
      await sent(at, 4);
    });

    test('a token that has become somebody else’s hears nothing of the old owner’s messages', async () => {
      const at = await instance();
      const [alice, mallory] = [somebody(), somebody()];
      const moving = await at.device(alice);
      const moved = { identityKey: mallory, fcmToken: moving.token, deviceId: undefined, platform: undefined };
      server.answer = async () => {
        if (server.received.length > 1) return undefined;
        // Before the first try has ended, and so before the next.
        await at.devices.register(moved);
        return { status: 500 };
      };
      await at.store(alice);
      const push = await at.push();
      await until('it is skipped', async () => (await countOf(at.metrics, 'skipped')) === 1);
      const [own] = await at.store(mallory);
      push?.wake();
      await server.untilReceived(2);
      expect(server.received[1]?.message).toMatchObject({ data: { messageId: own } });
      await sent(at, 1);
    });

    test('bad credentials: one clear line, no secret in the log, and what is stored stays stored', async () => {
      const stranger = await startFcmServer('stranger');
      await stranger.close();
      const { private_key } = JSON.parse(stranger.accountJson) as { private_key: string };
      const account = JSON.stringify({ ...JSON.parse(server.accountJson), private_key });
      const at = await instance({ FIREBASE_SERVICE_ACCOUNT_JSON: account });
      const alice = somebody();
      const { token } = await at.device(alice);
      await at.push();
      await at.store(...Array.from({ length: 20 }, () => alice));
      await until('all were tried', async () => (await countOf(at.metrics, 'retried')) >= 20);
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

    test('a message of the day before yesterday is not announced any more', async () => {
      const at = await instance();
      const alice = somebody();
      const { token } = await at.device(alice);
      const message = { recipient: alice, messageBox: 'notifications', messageId: 'old', sender: BOB, body: 'b' };
      await at.outbox.add(at.foundation.sql, [message], Date.now() - 2 * 86_400_000);
      const [fresh] = await at.store(alice);
      await at.push();
      await server.untilReceived(1);
      await emptied(at);
      await sent(at, 1);
      expect(pushed(server)).toEqual([`${token} ${fresh}`]);
      expect(await countOf(at.metrics, 'expired')).toBe(1);
    });

    test('while FCM fails, as many jobs are made as may be, however many devices a message has', async () => {
      const at = await instance();
      const alice = somebody();
      for (let n = 0; n < 20; n++) await at.device(alice);
      server.answer = () => ({ status: 503, headers: { 'retry-after': '3600' } });
      await at.store(...Array.from({ length: 30 }, () => alice));
      await at.push({ mostJobs: 50 });
      // The row that uses up the room may have more of them.
      await until('60 wait for their time', async () =>
        /^messagebox_jobs_kept\{.*state="delayed".*\} 60$/m.test(await at.metrics.registry.metrics()),
      );
      // Nobody is busy with the others.
      expect(await at.outbox.claim(100, 1)).toHaveLength(27);
    });

    test('while FCM fails, most of what waits is left in the outbox', async () => {
      const at = await instance();
      const alice = somebody();
      await at.device(alice);
      server.answer = () => ({ status: 503, headers: { 'retry-after': '3600' } });
      await at.store(...Array.from({ length: 500 }, () => alice));
      await at.push({ mostJobs: 50 });
      await until('50 wait for their time', async () =>
        /^messagebox_jobs_kept\{.*state="delayed".*\} 50$/m.test(await at.metrics.registry.metrics()),
      );
      expect(await at.outbox.claim(1_000, 1)).toHaveLength(450);
      expect(server.received.length).toBeLessThanOrEqual(16);
    });
  });
}
