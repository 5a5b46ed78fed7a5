import { randomBytes } from 'node:crypto';
import { PushOutbox } from '@messagebox/shared';
import { until } from '../acceptance/history.js';
import { type FcmServer, fcmError, startFcmServer, unregistered } from '../support/fcm-server.js';
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
      await at.outbox.claim(10, 1_000);
      const [next] = await at.store(alice);
      await at.push();
      await server.untilReceived(1);
      expect(pushed(server)).toEqual([`${token} ${next}`]);
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
      const claim = jest.spyOn(PushOutbox.prototype, 'claim');
      try {
        const push = await at.push({ leaseMs: 1_000 });
        await server.untilReceived(1);
        await sent(at, 1);
        await emptied(at);
        const taken = await Promise.all(claim.mock.results.map(({ value }) => value as Promise<unknown[]>));
        expect(taken.flat()).toHaveLength(2); // the same row, twice
        const [second] = await at.store(alice);
        push?.wake();
        await server.untilReceived(2);
        await sent(at, 2);
        expect(pushed(server)).toEqual([`${token} ${first}`, `${token} ${second}`].sort());
      } finally {
        remove.mockRestore();
        claim.mockRestore();
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
        return { ...fcmError(429, 'RESOURCE_EXHAUSTED', 'Quota', 'QUOTA_EXCEEDED'), headers: { 'retry-after': '2' } };
      };
      await at.store(alice);
      await at.push();
      await server.untilReceived(2);
      const [a, b] = server.received;
      expect((b?.at ?? 0) - (a?.at ?? 0)).toBeGreaterThanOrEqual(1_950);
      await sent(at, 1);
      expect(await countOf(at.metrics, 'retried')).toBe(1);
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
      server.answer = () => (server.received.length === 1 ? { status: 500 } : undefined);
      await at.store(alice);
      const push = await at.push();
      await server.untilReceived(1);
      // Between the first try and the next.
      const moved = { identityKey: mallory, fcmToken: moving.token, deviceId: undefined, platform: undefined };
      await at.devices.register(moved);
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

    test('while FCM fails, most of what waits is left in the outbox', async () => {
      const at = await instance();
      const alice = somebody();
      await at.device(alice);
      server.answer = () => ({ status: 503, headers: { 'retry-after': '3600' } });
      await at.store(...Array.from({ length: 500 }, () => alice));
      await at.push({ mostJobs: 50 });
      await until('50 were tried', async () => (await countOf(at.metrics, 'retried')) >= 50);
      expect(await at.outbox.size(1_000)).toBe(450);
      expect(server.received.length).toBeLessThanOrEqual(16);
    });
  });
}
