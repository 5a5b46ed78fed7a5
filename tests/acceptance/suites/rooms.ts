import { randomUUID } from 'node:crypto';
import { io } from 'socket.io-client';
import { type Clients, registryClients } from '../clients.js';
import type { Deployment } from '../deployments.js';
import { EventHistory } from '../history.js';
import { createPeople } from '../people.js';

/** Access to rooms: only the owner of a room hears it, and only after proving its identity. */
export function roomsSuite(at: () => Deployment, clients: Clients = registryClients): void {
  describe('rooms', () => {
    const someone = createPeople(clients);

    test('leaving one stops delivery from it, and from it only', async () => {
      const [alice, bob] = [someone(), someone()];
      const { apis, realtimes } = at();
      const listener = await bob.connect(realtimes[0]);
      const left = await listener.join('left');
      const kept = await listener.join('kept');
      const send = async (messageBox: string) => {
        const messageId = randomUUID();
        await alice.send(apis[0], { recipient: bob.key, messageBox, messageId, body: 'hello' });
        return messageId;
      };
      const before = await send('left');
      await left.waitFor(({ messageId }) => messageId === before);
      await listener.leave('left');
      const missed = await send('left');
      // From the same publisher: once it has come, the one before it would have come, too.
      const fence = await send('kept');
      await kept.waitFor(({ messageId }) => messageId === fence);
      expect(left.all.map(({ messageId }) => messageId)).toEqual([before]);
      expect(await bob.listIds(apis[1], 'left')).toEqual([before, missed]);

      await listener.join('left');
      const again = await send('left');
      await left.waitFor(({ messageId }) => messageId === again);
    });

    test('left by the real client stay silent', async () => {
      const [alice, bob] = [someone(), someone()];
      const app = bob.createApp(at().apis[0], at().realtimes[0]);
      const left = await app.listen('left');
      const kept = await app.listen('kept');
      const gone = app.waitForEvent('leftRoom');
      await app.client.leaveRoom('left');
      expect(await gone).toEqual({ roomId: `${bob.key}-left` });
      const sender = alice.createApp(at().apis[0]);
      await sender.send({ recipient: bob.key, messageBox: 'left', body: 'not heard' });
      const { messageId: fence } = await sender.send({ recipient: bob.key, messageBox: 'kept', body: 'heard' });
      await kept.waitFor(({ messageId }) => messageId === fence);
      expect(left.all).toEqual([]);
    });

    test('of others and malformed ones are refused, and so is leaving them', async () => {
      const [bob, mallory] = [someone(), someone()];
      const socket = await mallory.connect(at().realtimes[0]);
      const reason = expect.stringMatching(/\S/);
      const invalid = 'ERR_WEBSOCKET_INVALID_ROOM';
      for (const [room, code] of [
        [`${bob.key}-inbox`, 'ERR_WEBSOCKET_ROOM_NOT_OWNED'],
        [mallory.key, invalid],
        [`${mallory.key}-`, invalid],
        [`${mallory.key}-${'b'.repeat(256)}`, invalid],
        ['-inbox', invalid],
        ['', invalid],
        ['inbox', invalid],
        [`${mallory.key.slice(0, 64)}-inbox`, invalid],
        [{ roomId: `${mallory.key}-inbox` }, invalid],
        [[`${mallory.key}-inbox`], invalid],
        [null, invalid],
        [7, invalid],
      ]) {
        const refusal = { reason, code, ...(typeof room === 'string' && { roomId: room }) };
        expect(await socket.request('joinRoom', room, 'joinFailed')).toEqual(refusal);
        expect(await socket.request('leaveRoom', room, 'leaveFailed')).toEqual(refusal);
      }
      expect(socket.events('joinedRoom').all).toEqual([]);
    });

    test('of others that were refused give nothing away', async () => {
      const [alice, bob, mallory] = [someone(), someone(), someone()];
      const { apis, realtimes } = at();
      const spy = await mallory.connect(realtimes[0]);
      await spy.request('joinRoom', `${bob.key}-inbox`, 'joinFailed');
      const own = await spy.join('inbox');
      await alice.send(apis[0], { recipient: bob.key, messageBox: 'inbox', messageId: randomUUID(), body: 'secret' });
      const fence = { recipient: mallory.key, messageBox: 'inbox', messageId: randomUUID(), body: 'for you' };
      await alice.send(apis[0], fence);
      await own.waitFor(({ messageId }) => messageId === fence.messageId);
      expect(JSON.stringify(spy.wireEvents.all)).not.toContain('secret');
    });

    test('are echoed as they were named, and found by the key in any spelling', async () => {
      const [alice, bob] = [someone(), someone()];
      const socket = await bob.connect(at().realtimes[0]);
      const roomId = `${bob.key.toUpperCase()}-inbox`;
      expect(await socket.request('joinRoom', roomId, 'joinedRoom')).toEqual({ roomId });
      const inbox = socket.events<{ messageId: string }>(`sendMessage-${bob.key}-inbox`);
      const message = { recipient: bob.key.toUpperCase(), messageBox: 'inbox', messageId: randomUUID(), body: 'hello' };
      expect(await alice.send(at().apis[0], message)).toMatchObject({ status: 200 });
      await inbox.waitFor(({ messageId }) => messageId === message.messageId);
      expect(await bob.listIds(at().apis[0], 'inbox')).toEqual([message.messageId]);
    });

    test('a message for another than the room`s owner is refused and not stored', async () => {
      const [alice, bob, carol] = [someone(), someone(), someone()];
      const socket = await alice.connect(at().realtimes[0]);
      const roomId = `${bob.key}-inbox`;
      const messageId = randomUUID();
      const ack = await socket.request(
        'sendMessage',
        { roomId, message: { messageId, recipient: carol.key, body: 'hello' } },
        `sendMessageAck-${roomId}`,
      );
      expect(ack).toMatchObject({ status: 'error', code: 'ERR_INVALID_RECIPIENT_KEY', messageId });
      for (const person of [bob, carol]) expect(await person.list(at().apis[0], 'inbox')).toEqual([]);
    });
  });

  describe('identities', () => {
    const someone = createPeople(clients);

    test.each([
      ['somebody else`s', (other: string) => ({ identityKey: other })],
      ['none', () => ({})],
      ['no object', () => 'me'],
      ['a malformed one', () => ({ identityKey: '02zz' })],
    ])('`authenticated` with %s is answered authenticationFailed', async (_kind, claim) => {
      const [alice, bob, mallory] = [someone(), someone(), someone()];
      const socket = mallory.createSocket(at().realtimes[0]);
      const answer = await socket.request('authenticated', claim(bob.key), 'authenticationFailed');
      expect(answer).toMatchObject({ reason: expect.stringMatching(/\S/) });
      expect(socket.events('authenticationSuccess').all).toEqual([]);
      // A claimed identity does not change the proven one.
      await socket.send(alice.key, 'inbox', randomUUID(), 'from whom?');
      expect(await alice.list(at().apis[0], 'inbox')).toMatchObject([{ sender: mallory.key }]);
    });

    test('an idle third party sees nothing of a conversation', async () => {
      const [alice, bob, carol] = [someone(), someone(), someone()];
      const { apis, realtimes } = at();
      const idle = [await carol.connect(realtimes[0]), await carol.connect(realtimes[1])];
      const own = [];
      for (const socket of idle) own.push(await socket.join('inbox'));
      const bobHears = await bob.createApp(apis[0], realtimes[1]).listen('inbox');
      const app = alice.createApp(apis[0], realtimes[0]);
      const live = await app.sendLive({ recipient: bob.key, messageBox: 'inbox', body: 'live' });
      const http = await app.send({ recipient: bob.key, messageBox: 'inbox', body: 'over HTTP' });
      for (const { messageId } of [live, http]) await bobHears.waitFor((message) => message.messageId === messageId);
      // The last word of each publisher comes after whatever it said before.
      const fences = [
        await app.sendLive({ recipient: carol.key, messageBox: 'inbox', body: 'for Carol, live' }),
        await app.send({ recipient: carol.key, messageBox: 'inbox', body: 'for Carol, over HTTP' }),
      ];
      for (const inbox of own)
        for (const { messageId } of fences) await inbox.waitFor((push) => push.messageId === messageId);
      for (const { wireEvents } of idle) {
        const push = `sendMessage-${carol.key}-inbox`;
        const names = wireEvents.all.map(({ eventName }) => eventName);
        expect(names).toEqual(['(initialResponse)', 'authenticationSuccess', 'joinedRoom', push, push]);
        expect(JSON.stringify(wireEvents.all)).not.toContain(bob.key);
      }
    });

    test('a plain socket.io client is told to sign, and nothing else happens', async () => {
      const [alice, bob] = [someone(), someone()];
      const { apis, realtimes } = at();
      const plain = io(realtimes[0], { forceNew: true });
      try {
        const heard = new EventHistory<{ name: string; data: { reason?: string } }>('event');
        plain.onAny((name: string, data: { reason?: string }) => heard.add({ name, data }));
        const tell = async (name: string, data: unknown) => {
          const answer = heard.waitForNext();
          plain.emit(name, data);
          return await answer;
        };
        const refusal = { name: 'authenticationFailed', data: { reason: expect.stringContaining('BRC-103') } };
        const roomId = `${bob.key}-inbox`;
        expect(await tell('authenticated', { identityKey: bob.key })).toEqual(refusal);
        expect(await tell('joinRoom', roomId)).toEqual(refusal);
        const forged = { messageId: randomUUID(), recipient: alice.key, body: 'forged' };
        expect(await tell('sendMessage', { roomId: `${alice.key}-inbox`, message: forged })).toEqual(refusal);

        const inbox = await (await bob.connect(realtimes[0])).join('inbox');
        const message = { recipient: bob.key, messageBox: 'inbox', messageId: randomUUID(), body: 'for Bob only' };
        await alice.send(apis[0], message);
        await inbox.waitFor(({ messageId }) => messageId === message.messageId);
        // Another answer to it comes after whatever it was sent before.
        expect(await tell('joinRoom', roomId)).toEqual(refusal);
        expect(heard.all.map(({ name }) => name)).toEqual(Array(4).fill('authenticationFailed'));
        expect(await alice.list(apis[0], 'inbox')).toEqual([]);
      } finally {
        plain.disconnect();
      }
    });
  });
}
