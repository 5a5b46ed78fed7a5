import { randomUUID } from 'node:crypto';
import { setInterval, setTimeout } from 'node:timers/promises';
import { describeWithMysql } from '@messagebox/test-support/with-mysql';
import { describeWithManagedRedis, type ManagedServer, startRedisServer } from '../support/managed-servers.js';
import { deployScaled, useDeployment } from './deployments.js';
import { openFrontDoor } from './front-door.js';
import { EventHistory } from './history.js';
import type { PushedEvent } from './live-socket.js';
import { createPeople } from './people.js';

const OUTAGE_MS = 15_000;
const SLOWEST_MS = 3_000;

/** One send of the steady load. */
interface Sent {
  readonly way: string;
  readonly outcome: unknown;
  readonly ms: number;
}

describeWithMysql('while Redis is away', () => {
  describeWithManagedRedis('a Redis that stops and starts', () => {
    let redis: ManagedServer;
    beforeAll(async () => {
      redis = (await startRedisServer()) as ManagedServer;
    });
    // Registered before the deployment's own, so it runs after it.
    afterAll(() => redis.close());
    const at = useDeployment(() => deployScaled({ REDIS_URL: redis.url }));
    const someone = createPeople();

    test('every send succeeds in time, and afterwards all listeners are pushed to again', async () => {
      const [alice, bob] = [someone(), someone()];
      const { apis, realtimes, processes } = at();
      const all = [...processes.apis, ...processes.realtimes];
      const pids = all.map(({ pid }) => pid);

      const early = [await bob.connect(realtimes[0]), await bob.connect(realtimes[1])];
      const inboxes = new Map<string, EventHistory<PushedEvent>>();
      for (const [i, socket] of early.entries())
        inboxes.set(`joined before, instance ${i}`, await socket.join('inbox'));

      const senders = [await alice.connect(realtimes[0]), await alice.connect(realtimes[1])];
      const sent = new EventHistory<Sent>('send');
      const ids: string[] = [];
      let loading = true;
      const steadily = async (way: string, send: (messageId: string) => Promise<unknown>) => {
        for await (const _ of setInterval(250)) {
          if (!loading) return;
          const messageId = randomUUID();
          const from = performance.now();
          const outcome = await send(messageId).catch(String);
          sent.add({ way, outcome, ms: performance.now() - from });
          ids.push(messageId);
        }
      };
      const box = { recipient: bob.key, messageBox: 'inbox', body: 'hello' };
      const load = [
        ...apis.map((api, i) =>
          steadily(`HTTP ${i}`, async (messageId) => (await alice.send(api, { ...box, messageId })).body['status']),
        ),
        ...senders.map((socket, i) =>
          steadily(`live ${i}`, async (messageId) => (await socket.send(bob.key, 'inbox', messageId, 'hello')).status),
        ),
      ];
      await sent.waitFor(() => sent.all.length >= 8);

      await redis.stop();
      const before = sent.all.length;
      const over = setTimeout(OUTAGE_MS);
      // These join now: one on a connection that it has, and one that connects as well.
      const fresh = await bob.connect(realtimes[1]);
      const joins = [early[0], fresh].map(async (socket, i) => {
        const room = `${bob.key}-during ${i}`;
        const pushes = socket?.events<PushedEvent>(`sendMessage-${room}`) as EventHistory<PushedEvent>;
        const joined = socket?.events('joinedRoom').waitForNext(({ roomId }) => roomId === room, 2 * OUTAGE_MS);
        socket?.client.emit('joinRoom', room);
        await joined;
        return pushes;
      });
      await over;
      const during = sent.all.length - before;
      await redis.start();
      for (const [i, pushes] of (await Promise.all(joins)).entries()) inboxes.set(`during ${i}`, pushes);

      // Sockets that joined before are subscribed again by then or a moment later; each probe is a message of the steady load.
      for (const [who, pushes] of inboxes) {
        if (!who.startsWith('during')) await pushes.waitForNext();
        else {
          const messageId = randomUUID();
          await alice.send(apis[0], { recipient: bob.key, messageBox: who, messageId, body: 'are you there?' });
          await pushes.waitFor((push) => push.messageId === messageId);
        }
      }
      loading = false;
      await Promise.all(load);
      // From here on, nothing may be missing any more.
      for (const [i, socket] of senders.entries()) {
        const messageId = randomUUID();
        await socket.send(bob.key, 'inbox', messageId, 'after the outage');
        for (const who of [0, 1])
          await inboxes.get(`joined before, instance ${who}`)?.waitFor((push) => push.messageId === messageId);
        const other = randomUUID();
        await alice.send(apis[i] as string, { ...box, messageId: other });
        for (const who of [0, 1])
          await inboxes.get(`joined before, instance ${who}`)?.waitFor((push) => push.messageId === other);
      }

      expect(during).toBeGreaterThan(60);
      expect(sent.all.filter(({ outcome }) => outcome !== 'success')).toEqual([]);
      expect(sent.all.filter(({ ms }) => ms > SLOWEST_MS)).toEqual([]);
      const stored = new Set(await bob.listIds(apis[0], 'inbox'));
      expect(ids.filter((id) => !stored.has(id))).toEqual([]);
      expect(all.map(({ pid }) => pid)).toEqual(pids);
      const stillRunning = Symbol('still running');
      for (const { exited } of all) expect(await Promise.race([exited, stillRunning])).toBe(stillRunning);
    });

    test('one handshake is enough for requests that go to both apis in turn', async () => {
      const [alice, bob] = [someone(), someone()];
      await redis.stop();
      const door = await openFrontDoor(at().apis[0]);
      try {
        door.setTarget(...at().apis);
        const ids = Array.from({ length: 30 }, () => randomUUID());
        for (const messageId of ids) {
          const message = { recipient: bob.key, messageBox: 'turns', messageId, body: 'hello' };
          expect(await alice.send(door.url, message)).toMatchObject({ status: 200 });
        }
        expect(door.handshakes).toBe(1);
        expect(await bob.listIds(at().apis[1], 'turns')).toEqual(ids);
      } finally {
        await door.close();
        await redis.start();
      }
    });
  });
});
