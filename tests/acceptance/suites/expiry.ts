import { randomUUID } from 'node:crypto';
import { type Clients, registryClients } from '../clients.js';
import type { Deployment } from '../deployments.js';
import { waitUntil } from '../history.js';
import { createPeople } from '../people.js';

/** The next whole second that is at least this far away, because times are kept in seconds. */
const secondsAhead = (seconds: number) => new Date((Math.ceil(Date.now() / 1_000) + seconds) * 1_000).toISOString();

/** Messages whose senders let them expire. */
export function expirySuite(at: () => Deployment, clients: Clients = registryClients): void {
  describe('messages that expire', () => {
    const someone = createPeople(clients);

    test('are listed with their time at every instance, sent over HTTP, in a batch and live', async () => {
      const [alice, bob, carol] = [someone(), someone(), someone()];
      const [expiresAt, ids] = [secondsAhead(3_600), Array.from({ length: 5 }, () => randomUUID())];
      const [one, forBob, forCarol, live, never] = ids as [string, string, string, string, string];
      const message = { recipient: bob.key, messageBox: 'inbox', body: 'hello', expiresAt };
      const inbox = await (await bob.connect(at().realtimes[1])).join('inbox');
      expect(await alice.send(at().apis[0], { ...message, messageId: one })).toMatchObject({ status: 200 });
      const batch = { ...message, recipient: [bob.key, carol.key], messageId: [forBob, forCarol] };
      expect(await alice.send(at().apis[1], batch)).toMatchObject({ status: 200 });
      const socket = await alice.connect(at().realtimes[0]);
      const acked = socket.events(`sendMessageAck-${bob.key}-inbox`).waitForNext();
      const { messageBox: _box, ...sent } = message;
      socket.client.emit('sendMessage', { roomId: `${bob.key}-inbox`, message: { ...sent, messageId: live } });
      expect(await acked).toMatchObject({ status: 'success', messageId: live });
      expect(await alice.send(at().apis[0], { ...message, messageId: never, expiresAt: undefined })).toMatchObject({
        status: 200,
      });

      // Before its time, a message is pushed as any other.
      for (const messageId of [one, forBob, live, never]) await inbox.waitFor((push) => push.messageId === messageId);
      for (const api of at().apis) {
        const messages = await bob.list(api, 'inbox');
        expect(messages).toMatchObject([
          { messageId: one, expiresAt },
          { messageId: forBob, expiresAt },
          { messageId: live, expiresAt },
          { messageId: never },
        ]);
        expect(messages[3]).not.toHaveProperty('expiresAt');
        expect(await carol.list(api, 'inbox')).toMatchObject([{ messageId: forCarol, expiresAt }]);
      }
      expect(await bob.createApp(at().apis[1]).list('inbox')).toHaveLength(4);
    });

    test('are gone at their time, from every page, and their ids are free', async () => {
      const [alice, bob] = [someone(), someone()];
      const [kept, gone, last] = [randomUUID(), randomUUID(), randomUUID()];
      const message = { recipient: bob.key, messageBox: 'inbox', body: 'hello' };
      await alice.send(at().apis[0], { ...message, messageId: kept });
      const soon = { ...message, messageId: gone, expiresAt: secondsAhead(2) };
      expect(await alice.send(at().apis[0], soon)).toMatchObject({ status: 200 });
      await alice.send(at().apis[0], { ...message, messageId: last });
      await waitUntil(
        'the message has expired',
        async () => !(await bob.listIds(at().apis[1], 'inbox')).includes(gone),
      );
      for (const api of at().apis) {
        expect(await bob.listIds(api, 'inbox')).toEqual([kept, last]);
        const first = await bob.page(api, 'inbox', { offset: 0, limit: 1 });
        expect(first).toMatchObject({ messages: [{ messageId: kept }], hasMore: true, nextOffset: 1 });
        const second = await bob.page(api, 'inbox', { offset: 1, limit: 1 });
        expect(second).toMatchObject({ messages: [{ messageId: last }], hasMore: false, nextOffset: null });
        expect((await bob.page(api, 'inbox', { messageId: gone, offset: 0 })).messages).toEqual([]);
      }
      expect(await alice.send(at().apis[1], { ...soon, expiresAt: undefined, body: 'again' })).toMatchObject({
        status: 200,
      });
      expect(await bob.listIds(at().apis[0], 'inbox')).toEqual([kept, last, gone]);
    }, 60_000);

    test('keep the time of their first send', async () => {
      const [alice, bob] = [someone(), someone()];
      const [expiresAt, messageId] = [secondsAhead(3_600), randomUUID()];
      const message = { recipient: bob.key, messageBox: 'inbox', messageId, body: 'hello' };
      for (const given of [expiresAt, secondsAhead(7_200), secondsAhead(60), undefined]) {
        const answer = await alice.send(at().apis[0], { ...message, expiresAt: given });
        expect(answer).toMatchObject({ status: 200, body: { status: 'success', messageId } });
      }
      expect(await bob.list(at().apis[1], 'inbox')).toMatchObject([{ messageId, expiresAt }]);
    });
  });
}
