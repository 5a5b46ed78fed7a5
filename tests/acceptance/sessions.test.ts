import { randomUUID } from 'node:crypto';
import { setInterval } from 'node:timers/promises';
import { createTcpProxy } from '../support/tcp-proxy.js';
import { GENERATIONS } from './clients.js';
import { deployScaled, deployStandalone, useDeployment } from './deployments.js';
import { describeScaled } from './describe-scaled.js';
import { type FrontDoor, openFrontDoor } from './front-door.js';
import { createPeople } from './people.js';

describeScaled('sessions', () => {
  describe.each(GENERATIONS)('over HTTP, by %s', (_whose, clients) => {
    const at = useDeployment(() => deployScaled());
    const someone = createPeople(clients);
    let door: FrontDoor;
    beforeEach(async () => {
      door = await openFrontDoor(at().apis[0]);
    });
    afterEach(() => door.close());

    test('a session made with one api is served by the other', async () => {
      const [alice, bob] = [someone(), someone()];
      const app = alice.createApp(door.url);
      const { messageId } = await app.send({ recipient: bob.key, messageBox: 'inbox', body: 'by the first' });
      door.setTarget(at().apis[1]);
      await app.send({ recipient: bob.key, messageBox: 'inbox', body: 'by the second' });
      expect(door.handshakes).toBe(1);
      const bodies = (await bob.createApp(at().apis[1]).list('inbox')).map(({ body }) => body);
      expect(bodies).toEqual(['by the first', 'by the second']);
      expect(messageId).toEqual(expect.any(String));
    });

    test('a session outlives the process that made it', async () => {
      const [alice, bob] = [someone(), someone()];
      const send = (body: string) => {
        const message = { recipient: bob.key, messageBox: 'inbox', messageId: randomUUID(), body };
        return alice.send(door.url, message);
      };
      expect(await send('before')).toMatchObject({ status: 200 });
      const [api] = at().processes.apis;
      const { pid, url } = api;
      await api.kill();
      await api.restart({ samePort: true });
      expect(api.url).toBe(url);
      expect(api.pid).not.toBe(pid);
      expect(await send('after')).toMatchObject({ status: 200 });
      expect(door.handshakes).toBe(1);
      expect((await bob.list(at().apis[1], 'inbox')).map(({ body }) => body)).toEqual(['before', 'after']);
    });

    test('one handshake is enough for 100 requests that go to both apis in turn', async () => {
      const [alice, bob] = [someone(), someone()];
      door.setTarget(...at().apis);
      for (let i = 0; i < 100; i++) {
        const message = { recipient: bob.key, messageBox: 'turns', messageId: randomUUID(), body: `number ${i}` };
        expect(await alice.send(door.url, message)).toMatchObject({ status: 200 });
      }
      expect(door.handshakes).toBe(1);
      expect(await bob.listIds(at().apis[0], 'turns')).toHaveLength(100);
    });

    test('one handshake is enough although each api is killed and started again', async () => {
      const [alice, bob] = [someone(), someone()];
      const ids: string[] = [];
      const send = async () => {
        const messageId = randomUUID();
        ids.push(messageId);
        const message = { recipient: bob.key, messageBox: 'restarts', messageId, body: 'hello' };
        expect(await alice.send(door.url, message)).toMatchObject({ status: 200 });
      };
      door.setTarget(...at().apis);
      await send();
      for (const api of at().processes.apis) {
        await api.kill();
        await api.restart({ samePort: true });
        for (let i = 0; i < 4; i++) await send();
      }
      expect(door.handshakes).toBe(1);
      expect(await bob.listIds(at().apis[0], 'restarts')).toEqual(ids);
    });

    test('with a server that has another key, the client shakes hands again by itself', async () => {
      const [alice, bob] = [someone(), someone()];
      const foreign = await deployStandalone();
      try {
        const message = { recipient: bob.key, messageBox: 'inbox', body: 'hello' };
        expect(await alice.send(door.url, { ...message, messageId: randomUUID() })).toMatchObject({ status: 200 });
        door.setTarget(foreign.apis[0]);
        const messageId = randomUUID();
        expect(await alice.send(door.url, { ...message, messageId })).toMatchObject({ status: 200 });
        expect(door.handshakes).toBe(2);
        expect(await bob.listIds(foreign.apis[0], 'inbox')).toEqual([messageId]);
      } finally {
        await foreign.close();
      }
    });
  });

  describe.each(GENERATIONS)('with a life of 2 seconds, by %s', (_whose, clients) => {
    // A socket's session may be older than that by so much only: who lives longer lives by renewals.
    const at = useDeployment(() => deployScaled({ SESSION_LIFE_SECONDS: '2', SOCKET_SESSION_MAX_SECONDS: '5' }));
    const someone = createPeople(clients);

    test('requests go on for longer than that', async () => {
      const [alice, bob] = [someone(), someone()];
      const door = await openFrontDoor(at().apis[0]);
      try {
        const ids: string[] = [];
        const began = Date.now();
        for await (const _ of setInterval(300)) {
          const messageId = randomUUID();
          const message = { recipient: bob.key, messageBox: 'inbox', messageId, body: 'hello' };
          expect(await alice.send(door.url, message)).toMatchObject({ status: 200 });
          ids.push(messageId);
          if (door.handshakes >= 3) break;
        }
        // One for each life, however few requests there was time for.
        expect(door.handshakes).toBeLessThanOrEqual(1 + Math.floor((Date.now() - began) / 2_000));
        expect(await bob.listIds(at().apis[1], 'inbox')).toEqual(ids);
      } finally {
        await door.close();
      }
    });

    test('a socket that is silent for longer than that still sends and is pushed to', async () => {
      const [alice, bob] = [someone(), someone()];
      const socket = await bob.connect(at().realtimes[0]);
      const inbox = await socket.join('inbox');
      const idle = performance.now();
      // The server renews the session at half of its life.
      do await socket.wireEvents.waitForNext(({ eventName }) => eventName === '(initialRequest)');
      while (performance.now() - idle < 4_000);
      const ids = [randomUUID(), randomUUID()] as const;
      expect(await socket.send(alice.key, 'inbox', ids[0], 'hello')).toMatchObject({ status: 'success' });
      await alice.send(at().apis[0], { recipient: bob.key, messageBox: 'inbox', messageId: ids[1], body: 'hello' });
      await inbox.waitFor(({ messageId }) => messageId === ids[1]);
    });

    test('a socket that lives for 10 seconds and reconnects twice never goes silent', async () => {
      const [alice, bob] = [someone(), someone()];
      const proxy = await createTcpProxy({ target: at().realtimes[0] });
      try {
        const socket = bob.createSocket(proxy.url);
        const room = `${bob.key}-inbox`;
        socket.client.on('connect', () => {
          socket.client.emit('authenticated', { identityKey: bob.key });
          socket.client.emit('joinRoom', room);
        });
        const inbox = socket.events<{ messageId: string }>(`sendMessage-${room}`);
        // The ids of each connection. What came before it may come again on it, and nothing comes twice on it.
        const pushedOn: string[][] = [];
        socket.client.on('connect', () => pushedOn.push([]));
        socket.client.on(`sendMessage-${room}`, (push: { messageId: string }) => pushedOn.at(-1)?.push(push.messageId));
        await socket.events('joinedRoom').waitFor(({ roomId }) => roomId === room);

        const began = Date.now();
        // A reconnect renews the session as well, so the time after the last one is longer than a session may last.
        const reconnectAfter = [1_500, 3_500];
        const sent: string[] = [];
        for await (const _ of setInterval(300)) {
          const age = Date.now() - began;
          if (age > (reconnectAfter[0] ?? Number.POSITIVE_INFINITY)) {
            reconnectAfter.shift();
            // To the other instance, which has never met this session.
            proxy.setTarget(at().realtimes[1]);
            const joined = socket.events('joinedRoom').waitForNext();
            proxy.cut();
            await joined;
          }
          const messageId = randomUUID();
          const pushed = inbox.waitForNext((push) => push.messageId === messageId);
          const message = { recipient: bob.key, messageBox: 'inbox', messageId, body: 'hello' };
          expect(await alice.send(at().apis[sent.length % 2] as string, message)).toMatchObject({ status: 200 });
          await pushed;
          const ack = await socket.send(alice.key, 'inbox', randomUUID(), 'hello');
          expect(ack).toMatchObject({ status: 'success' });
          sent.push(messageId);
          if (age > 10_000) break;
        }
        expect(reconnectAfter).toEqual([]);
        expect(pushedOn).toHaveLength(3);
        expect(new Set(pushedOn.flat())).toEqual(new Set(sent));
        for (const ids of pushedOn) expect(ids).toEqual([...new Set(ids)]);
      } finally {
        await bob.close();
        await proxy.close();
      }
    });
  });
});
