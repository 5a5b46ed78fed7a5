import { randomUUID } from 'node:crypto';
import { type Clients, registryClients } from '../clients.js';
import type { Deployment } from '../deployments.js';
import { EventHistory } from '../history.js';
import { createPeople } from '../people.js';

/**
 * Delivery to listeners, from whichever process the message comes to whichever process the listener is at.
 *
 * @param upgrades whether clients may upgrade to a websocket
 * @param clients whose clients act
 */
export function liveSuite(at: () => Deployment, upgrades = true, clients: Clients = registryClients): void {
  describe('live', () => {
    const someone = createPeople(clients);

    test.each([
      ['an encrypted message', false],
      ['a plain message', true],
    ])('%s sent live reaches a listener on the other instance, and is stored', async (_kind, skipEncryption) => {
      const [alice, bob] = [someone(), someone()];
      const { apis, realtimes } = at();
      const inbox = await bob.createApp(apis[0], realtimes[1]).listen('chat');
      const raw = await (await bob.connect(realtimes[1])).join('chat');
      const body = `Hello Bob, ${randomUUID()}`;
      const sent = await alice
        .createApp(apis[0], realtimes[0])
        .sendLive({ recipient: bob.key, messageBox: 'chat', body, skipEncryption });
      expect(sent).toMatchObject({ status: 'success' });
      expect(await inbox.waitFor(({ messageId }) => messageId === sent.messageId)).toMatchObject({
        sender: alice.key,
        body,
      });
      const push = await raw.waitFor(({ messageId }) => messageId === sent.messageId);
      if (skipEncryption) expect(push.body).toBe(body);
      else expect(Object.keys(JSON.parse(push.body))).toEqual(['encryptedMessage']);
      expect(await bob.createApp(apis[1]).list('chat')).toMatchObject([{ messageId: sent.messageId, body }]);
    });

    test('a message sent over HTTP reaches the listeners of every instance, from every api', async () => {
      const [alice, bob] = [someone(), someone()];
      const { apis, realtimes } = at();
      const inboxes = [
        await bob.createApp(apis[0], realtimes[0]).listen('chat'),
        await bob.createApp(apis[0], realtimes[1]).listen('chat'),
      ];
      for (const api of apis) {
        const body = `by ${randomUUID()}`;
        const sent = await alice.createApp(api).send({ recipient: bob.key, messageBox: 'chat', body });
        for (const inbox of inboxes) {
          const message = await inbox.waitFor(({ messageId }) => messageId === sent.messageId);
          expect(message).toMatchObject({ sender: alice.key, body });
        }
      }
      for (const inbox of inboxes) expect(inbox.all).toHaveLength(2);
    });

    test('two devices of one identity on one instance both get a message, once', async () => {
      const [alice, bob] = [someone(), someone()];
      const [realtime] = at().realtimes;
      const inboxes = [
        await (await bob.connect(realtime)).join('chat'),
        await (await bob.connect(realtime)).join('chat'),
      ];
      const sender = await alice.connect(realtime);
      const [first, last] = [randomUUID(), randomUUID()];
      await sender.send(bob.key, 'chat', first, 'hello');
      await sender.send(bob.key, 'chat', last, 'bye');
      for (const inbox of inboxes) {
        await inbox.waitFor(({ messageId }) => messageId === last);
        expect(inbox.all.map(({ messageId }) => messageId)).toEqual([first, last]);
      }
    });

    test('an ack has exactly the documented fields', async () => {
      const [alice, bob] = [someone(), someone()];
      const messageId = randomUUID();
      const ack = await (await alice.connect(at().realtimes[0])).send(bob.key, 'chat', messageId, 'hello');
      expect(ack).toEqual({ status: 'success', messageId });
      // Stored by then, not only soon after.
      expect(await bob.listIds(at().apis[1], 'chat')).toEqual([messageId]);
    });

    test('sends of one socket into one room are acknowledged and delivered in order', async () => {
      const [alice, bob] = [someone(), someone()];
      const inbox = await (await bob.connect(at().realtimes[1])).join('chat');
      const socket = await alice.connect(at().realtimes[0]);
      const acks = socket.events<{ messageId: string }>(`sendMessageAck-${bob.key}-chat`);
      const ids = Array.from({ length: 15 }, () => randomUUID());
      await Promise.all(ids.map((id) => socket.send(bob.key, 'chat', id, 'hello')));
      expect(acks.all.map(({ messageId }) => messageId)).toEqual(ids);
      await inbox.waitFor(({ messageId }) => messageId === ids.at(-1));
      expect(inbox.all.map(({ messageId }) => messageId)).toEqual(ids);
      expect(await bob.listIds(at().apis[0], 'chat')).toEqual(ids);
    });

    test('an encrypted body of 750 KB, a payload of just 1 MB, reaches the listener and the box', async () => {
      const [alice, bob] = [someone(), someone()];
      const { apis, realtimes } = at();
      const inbox = await bob.createApp(apis[0], realtimes[1]).listen('chat');
      const app = alice.createApp(apis[0], realtimes[0]);
      await app.connect();
      const acked = app.waitForEvent<{ status: string }>(`sendMessageAck-${bob.key}-chat`);
      const body = `${'0123456789abcdef'.repeat(48_000)}, the end`;
      const { messageId } = await app.sendLive({ recipient: bob.key, messageBox: 'chat', body });
      // It did not come by the detour of a fallback to HTTP.
      expect(await acked).toMatchObject({ status: 'success' });
      const message = await inbox.waitFor((push) => push.messageId === messageId);
      expect(message.body === body).toBe(true);
      const [stored] = await bob.list(apis[1], 'chat');
      expect(stored?.messageId).toBe(messageId);
      expect(stored?.body.length).toBeGreaterThan(1_000_000);
    });

    // Today's clients send nothing live that is as large as what follows.
    const larger = clients.kind === 'registry' ? test : undefined;

    larger?.each([
      ['of 1 MB encrypted', '0123456789abcdef'.repeat(65_536), false],
      ['of quotes, which are encoded in two bytes each', '"'.repeat(600_000), true],
      ['of control characters, which are encoded in six', '\u0001'.repeat(180_000), true],
    ])('a live send %s is stored and acknowledged, but too large to be pushed', async (_kind, body, skipEncryption) => {
      const [alice, bob] = [someone(), someone()];
      const { apis, realtimes } = at();
      const inbox = await (await bob.connect(realtimes[1])).join('chat');
      const app = alice.createApp(apis[0], realtimes[0]);
      await app.connect();
      const acked = app.waitForEvent<{ status: string }>(`sendMessageAck-${bob.key}-chat`);
      const { messageId } = await app.sendLive({ recipient: bob.key, messageBox: 'chat', body, skipEncryption });
      expect(await acked).toMatchObject({ status: 'success', messageId });
      const small = await app.sendLive({ recipient: bob.key, messageBox: 'chat', body: 'small' });
      await inbox.waitFor((push) => push.messageId === small.messageId);
      expect(inbox.all.map((push) => push.messageId)).toEqual([small.messageId]);
      expect(await bob.listIds(apis[1], 'chat')).toEqual([messageId, small.messageId]);
    });

    test('200 live sends of one client are all acknowledged live, and pushed in order', async () => {
      const [alice, bob] = [someone(), someone()];
      const inbox = await (await bob.connect(at().realtimes[1])).join('chat');
      const socket = await alice.connect(at().realtimes[0]);
      const ids = Array.from({ length: 200 }, () => randomUUID());
      const acks = await Promise.all(ids.map((id) => socket.send(bob.key, 'chat', id, 'hello')));
      expect(acks).toEqual(ids.map((messageId) => ({ status: 'success', messageId })));
      await inbox.waitFor(({ messageId }) => messageId === ids.at(-1));
      expect(inbox.all.map(({ messageId }) => messageId)).toEqual(ids);
      expect(await bob.listIds(at().apis[0], 'chat')).toEqual(ids);
    });

    test.each([9, 40])('%i boxes that one app begins to listen to at once are all heard', async (count) => {
      const [alice, bob] = [someone(), someone()];
      const { apis, realtimes } = at();
      const app = bob.createApp(apis[0], realtimes[1]);
      const boxes = Array.from({ length: count }, (_, n) => `box ${n}`);
      const heard = new EventHistory<{ messageId: string; box: string }>('live message');
      await app.listenToAll(boxes, (messageBox, { messageId }) => heard.add({ messageId, box: messageBox }));
      const sender = await alice.connect(realtimes[0]);
      for (const box of boxes) {
        const messageId = randomUUID();
        await sender.send(bob.key, box, messageId, 'hello');
        expect(await heard.waitFor((message) => message.messageId === messageId)).toMatchObject({ box });
      }
    });

    test('a first event of 30 KB and more is taken', async () => {
      const [alice, bob] = [someone(), someone()];
      const socket = alice.createSocket(at().realtimes[0]);
      const body = 'x'.repeat(300_000);
      expect(await socket.send(bob.key, 'chat', randomUUID(), body)).toMatchObject({ status: 'success' });
      expect((await bob.list(at().apis[0], 'chat')).map((message) => message.body.length)).toEqual([body.length]);
    });

    test('40 live sends before the first handshake are all stored and acknowledged', async () => {
      const [alice, bob] = [someone(), someone()];
      const socket = alice.createSocket(at().realtimes[0]);
      const ids = Array.from({ length: 40 }, () => randomUUID());
      const acks = await Promise.all(ids.map((id) => socket.send(bob.key, 'chat', id, 'hello')));
      expect(acks).toEqual(ids.map((messageId) => ({ status: 'success', messageId })));
      expect((await bob.listIds(at().apis[0], 'chat')).sort()).toEqual([...ids].sort());
    });

    larger?.('a body above the live bound gets an error ack, and the client falls back to HTTP', async () => {
      const [alice, bob] = [someone(), someone()];
      const { apis, realtimes } = at();
      const app = alice.createApp(apis[0], realtimes[0]);
      await app.connect();
      const acked = app.waitForEvent<{ status: string }>(`sendMessageAck-${bob.key}-chat`);
      const body = 'x'.repeat(2_097_152 + 1);
      const sent = await app.sendLive({ recipient: bob.key, messageBox: 'chat', body, skipEncryption: true });
      expect(await acked).toMatchObject({ status: 'error', code: expect.stringMatching(/^ERR_/) });
      expect(sent).toMatchObject({ status: 'success' });
      expect((await bob.list(apis[1], 'chat')).map((message) => message.body.length)).toEqual([body.length]);
    });

    test.each([
      ['long polling only', { transports: ['polling'] }],
      ['a websocket from the start', { transports: ['websocket'] }],
    ])('%s: sends, is acknowledged, is pushed', async (_name, settings) => {
      const [alice, bob] = [someone(), someone()];
      const listener = await bob.connect(at().realtimes[1], settings);
      const inbox = await listener.join('chat');
      const sender = await alice.connect(at().realtimes[0], settings);
      const messageId = randomUUID();
      expect(await sender.send(bob.key, 'chat', messageId, 'hello')).toMatchObject({ status: 'success' });
      expect(await inbox.waitFor((push) => push.messageId === messageId)).toMatchObject({ body: 'hello' });
      for (const { io } of [listener, sender]) expect(io.io.engine.transport.name).toBe(settings.transports[0]);
    });

    if (!upgrades) return;
    test('default transports: begins with long polling, upgrades, and loses nothing on the way', async () => {
      const [alice, bob] = [someone(), someone()];
      const listener = bob.createSocket(at().realtimes[0]);
      const upgraded = new Promise<string>((resolve) => {
        listener.io.io.engine.on('upgrade', ({ name }: { name: string }) => resolve(name));
      });
      await listener.authenticate();
      const inbox = await listener.join('chat');
      const sender = await alice.connect(at().realtimes[1]);
      const [early, late] = [randomUUID(), randomUUID()];
      await sender.send(bob.key, 'chat', early, 'while it may still be polling');
      expect(await upgraded).toBe('websocket');
      await sender.send(bob.key, 'chat', late, 'by websocket');
      await inbox.waitFor(({ messageId }) => messageId === late);
      expect(inbox.all.map(({ messageId }) => messageId)).toEqual([early, late]);
    });
  });
}
