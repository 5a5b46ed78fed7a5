import { randomUUID } from 'node:crypto';
import { type Clients, registryClients } from '../clients.js';
import type { Deployment } from '../deployments.js';
import { createPeople } from '../people.js';

/** One id, one message: the same one again is no new one, and another one under that id is refused, never lost. */
export function duplicatesSuite(at: () => Deployment, clients: Clients = registryClients): void {
  describe('the same message id', () => {
    const someone = createPeople(clients);
    const refusal = { status: 400, body: { status: 'error', code: 'ERR_DUPLICATE_MESSAGE' } };

    /** The real client reports a refusal to the console as well. */
    beforeEach(() => void jest.spyOn(console, 'error').mockReturnValue());
    afterEach(() => void jest.restoreAllMocks());

    test('20 sends at once all succeed, and one is stored and pushed', async () => {
      const [alice, bob] = [someone(), someone()];
      const { apis, realtimes } = at();
      const inbox = await (await bob.connect(realtimes[0])).join('inbox');
      const socket = await alice.connect(realtimes[1]);
      const message = { recipient: bob.key, messageBox: 'inbox', messageId: randomUUID(), body: 'only once' };
      // A session first: 20 first requests at once would be 20 handshakes.
      for (const api of apis) await alice.send(api, { ...message, messageId: randomUUID(), recipient: alice.key });

      const requests = Array.from({ length: 16 }, (_, i) => alice.send(apis[i % 2] as string, message));
      const acks = Array.from({ length: 4 }, () => socket.send(bob.key, 'inbox', message.messageId, message.body));
      const answers = await Promise.all(requests);
      for (const answer of answers)
        expect(answer).toMatchObject({ status: 200, body: { status: 'success', messageId: message.messageId } });
      for (const ack of await Promise.all(acks))
        expect(ack).toEqual({ status: 'success', messageId: message.messageId });
      expect(await bob.listIds(apis[0], 'inbox')).toEqual([message.messageId]);

      // Events of one publisher arrive in order, so when the last word of each has come, no second push can follow.
      const last = [randomUUID(), randomUUID(), randomUUID()] as const;
      await alice.send(apis[0], { ...message, messageId: last[0] });
      await alice.send(apis[1], { ...message, messageId: last[1] });
      await socket.send(bob.key, 'inbox', last[2], 'the last one');
      for (const id of last) await inbox.waitFor(({ messageId }) => messageId === id);
      expect(inbox.all.filter(({ messageId }) => messageId === message.messageId)).toHaveLength(1);
    });

    test('the real client is refused over HTTP in another box, and the first message stays', async () => {
      const [alice, bob] = [someone(), someone()];
      const app = alice.createApp(at().apis[0]);
      const message = { recipient: bob.key, body: 'the same text' };
      const { messageId } = await app.send({ ...message, messageBox: 'first' });
      await expect(app.send({ ...message, messageBox: 'second' })).rejects.toThrow('HTTP 400');
      const raw = { recipient: bob.key, messageId, body: 'x' };
      expect(await alice.send(at().apis[1], { ...raw, messageBox: 'second' })).toMatchObject(refusal);

      expect(await bob.createApp(at().apis[1]).list('first')).toMatchObject([{ messageId, body: message.body }]);
      expect(await bob.list(at().apis[1], 'second')).toEqual([]);
    });

    test('the real client is refused live in another box, twice, and the first message stays', async () => {
      const [alice, bob] = [someone(), someone()];
      const app = alice.createApp(at().apis[0], at().realtimes[0]);
      const inbox = await (await bob.connect(at().realtimes[1])).join('second');
      const message = { recipient: bob.key, body: 'the same text' };
      const { messageId } = await app.sendLive({ ...message, messageBox: 'first' });

      const failed = app.waitForEvent('messageFailed');
      const acked = app.waitForEvent(`sendMessageAck-${bob.key}-second`);
      const again = app.sendLive({ ...message, messageBox: 'second' });
      // The error ack makes the client try over HTTP at once, which is refused as well.
      await expect(again).rejects.toThrow('HTTP 400');
      expect(await failed).toMatchObject({ reason: expect.stringMatching(/\S/), messageId });
      expect(await acked).toMatchObject({ status: 'error', code: 'ERR_DUPLICATE_MESSAGE', messageId });

      expect(await bob.createApp(at().apis[1]).list('first')).toMatchObject([{ messageId, body: message.body }]);
      expect(await bob.list(at().apis[1], 'second')).toEqual([]);
      const { messageId: last } = await app.sendLive({ recipient: bob.key, messageBox: 'second', body: 'another' });
      await inbox.waitFor((push) => push.messageId === last);
      expect(inbox.all.map((push) => push.messageId)).toEqual([last]);
    });

    test('another sender is refused, and the first message stays', async () => {
      const [alice, mallory, bob] = [someone(), someone(), someone()];
      const message = { recipient: bob.key, messageBox: 'inbox', messageId: randomUUID() };
      await alice.send(at().apis[0], { ...message, body: 'from Alice' });
      expect(await mallory.send(at().apis[1], { ...message, body: 'from Mallory' })).toMatchObject(refusal);
      expect(await bob.list(at().apis[0], 'inbox')).toMatchObject([{ sender: alice.key, body: 'from Alice' }]);
    });

    test('a send to another recipient stores another message', async () => {
      const [alice, bob, carol] = [someone(), someone(), someone()];
      const message = { messageBox: 'inbox', messageId: randomUUID(), body: 'hello' };
      for (const { key } of [bob, carol])
        expect(await alice.send(at().apis[0], { ...message, recipient: key })).toMatchObject({ status: 200 });
      for (const person of [bob, carol])
        expect(await person.listIds(at().apis[1], 'inbox')).toEqual([message.messageId]);
    });

    test('50 first messages into a new box at once are all stored', async () => {
      const [alice, bob] = [someone(), someone()];
      const { apis, realtimes } = at();
      const socket = await alice.connect(realtimes[0]);
      for (const api of apis) await alice.list(api, 'none');
      const ids = Array.from({ length: 50 }, () => randomUUID());
      const outcomes = await Promise.all(
        ids.map(async (messageId, i) => {
          if (i % 5 === 4) return (await socket.send(bob.key, 'brand new', messageId, 'hello')).status;
          const message = { recipient: bob.key, messageBox: 'brand new', messageId, body: 'hello' };
          return (await alice.send(apis[i % 2] as string, message)).body['status'];
        }),
      );
      expect(outcomes).toEqual(ids.map(() => 'success'));
      expect((await bob.listIds(apis[1], 'brand new')).sort()).toEqual([...ids].sort());
    });
  });
}
