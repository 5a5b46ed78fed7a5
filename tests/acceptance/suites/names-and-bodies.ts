import { randomUUID } from 'node:crypto';
import { isName, MAX_BOX_BYTES } from '@messagebox/test-kit';
import { type Clients, registryClients } from '../clients.js';
import type { Deployment } from '../deployments.js';
import { createPeople } from '../people.js';

const boxes: [string, string][] = [
  ['hyphens', 'my-box-with--hyphens-'],
  ['spaces and punctuation', ' a box / with? #signs & "quotes" \\ '],
  ['accents and scripts', 'Bücher-книги-本'],
  ['emoji of several code points', '📬-👩‍👩‍👧-box'],
  ['40 code points of two UTF-16 units', '📬'.repeat(40)],
  ['174 characters', 'b'.repeat(174)],
];
/** Boxes for which the names of the push and ack events are longer than clients accept. */
const tooLongForLive: [string, string][] = [
  ['255 code points of two UTF-16 units', '📬'.repeat(255)],
  ['255 characters', 'b'.repeat(255)],
];

/** Box names and message bodies come through unchanged, live and stored. */
export function namesAndBodiesSuite(at: () => Deployment, clients: Clients = registryClients): void {
  describe('box names', () => {
    const someone = createPeople(clients);

    // Today's clients name no box by a longer text, or by one with space around it.
    const nameable = boxes.filter(([, name]) => clients.kind === 'registry' || isName(name, MAX_BOX_BYTES));

    test.each(nameable)('with %s', async (_kind, messageBox) => {
      const [alice, bob] = [someone(), someone()];
      const { apis, realtimes } = at();
      const inbox = await bob.createApp(apis[0], realtimes[1]).listen(messageBox);
      const app = alice.createApp(apis[0], realtimes[0]);
      const sent = await app.send({ recipient: bob.key, messageBox, body: 'over HTTP' });
      const live = await app.sendLive({ recipient: bob.key, messageBox, body: 'live' });
      expect(await inbox.waitFor(({ messageId }) => messageId === sent.messageId)).toMatchObject({ body: 'over HTTP' });
      expect(await inbox.waitFor(({ messageId }) => messageId === live.messageId)).toMatchObject({ body: 'live' });
      const listed = await bob.createApp(apis[1]).list(messageBox);
      expect(listed.map(({ body }) => body)).toEqual(['over HTTP', 'live']);
    });

    test.each(tooLongForLive)(
      'with %s are for HTTP only: joins and live sends are refused',
      async (_kind, messageBox) => {
        const [alice, bob] = [someone(), someone()];
        const { apis, realtimes } = at();
        const roomId = `${bob.key}-${messageBox}`;
        const listener = await bob.connect(realtimes[1]);
        const refusal = { reason: expect.stringMatching(/\S/), roomId, code: 'ERR_WEBSOCKET_INVALID_ROOM' };
        expect(await listener.request('joinRoom', roomId, 'joinFailed')).toEqual(refusal);
        const message = { messageId: randomUUID(), recipient: bob.key, body: 'live' };
        const sender = await alice.connect(realtimes[0]);
        const failed = await sender.request('sendMessage', { roomId, message }, 'messageFailed');
        expect(failed).toMatchObject({ code: 'ERR_INVALID_MESSAGEBOX', messageId: message.messageId });
        await alice.send(apis[0], { ...message, messageBox, body: 'over HTTP' });
        expect((await bob.list(apis[1], messageBox)).map(({ body }) => body)).toEqual(['over HTTP']);
        const pushes = listener.wireEvents.all
          .map(({ eventName }) => eventName)
          .filter((name) => name.startsWith('sendMessage'));
        expect(pushes).toEqual([]);
      },
    );

    test('that differ by case, accent or a trailing space are different boxes', async () => {
      const [alice, bob] = [someone(), someone()];
      const names = ['inbox', 'Inbox', 'ínbox', 'inbox ', ' inbox'];
      for (const messageBox of names) {
        const message = { recipient: bob.key, messageBox, messageId: `id ${messageBox}`, body: messageBox };
        expect(await alice.send(at().apis[0], message)).toMatchObject({ status: 200 });
      }
      for (const messageBox of names)
        expect((await bob.list(at().apis[1], messageBox)).map(({ body }) => body)).toEqual([messageBox]);
    });

    test.each([
      ['256 code points', 'b'.repeat(256)],
      ['a lone surrogate', 'box-\ud800'],
      ['nothing but spaces', '   '],
    ])('of %s are refused, over HTTP and live', async (_kind, messageBox) => {
      const [alice, bob] = [someone(), someone()];
      const messageId = randomUUID();
      const answer = await alice.send(at().apis[0], { recipient: bob.key, messageBox, messageId, body: 'hello' });
      expect(answer).toMatchObject({ status: 400, body: { code: 'ERR_INVALID_MESSAGEBOX' } });
      const roomId = `${bob.key}-${messageBox}`;
      const message = { messageId, recipient: bob.key, body: 'hello' };
      const socket = await alice.connect(at().realtimes[0]);
      const failed = await socket.request('sendMessage', { roomId, message }, 'messageFailed');
      expect(failed).toMatchObject({ code: 'ERR_INVALID_MESSAGEBOX', messageId });
    });
  });

  describe('bodies', () => {
    const someone = createPeople(clients);
    const whole = { message: 'only a part of it', payment: { amount: 7 }, other: ['ünïcode', 1, null] };

    test.each([
      ['encrypted', false],
      ['plain', true],
    ])('%s: an object with a key `message` comes back whole', async (_kind, skipEncryption) => {
      const [alice, bob] = [someone(), someone()];
      const { apis, realtimes } = at();
      const inbox = await bob.createApp(apis[0], realtimes[1]).listen('objects');
      const app = alice.createApp(apis[0], realtimes[0]);
      const http = await app.send({ recipient: bob.key, messageBox: 'objects', body: whole, skipEncryption });
      const live = await app.sendLive({
        recipient: bob.key,
        messageBox: 'objects',
        body: { ...whole, live: true },
        skipEncryption,
      });
      // A listener is given text, whatever was sent.
      const bodyOf = async (id: string) =>
        JSON.parse(String((await inbox.waitFor(({ messageId }) => messageId === id)).body));
      expect(await bodyOf(http.messageId)).toEqual(whole);
      expect(await bodyOf(live.messageId)).toEqual({ ...whole, live: true });
      const listed = await bob.createApp(apis[1]).list('objects');
      expect(listed.map(({ body }) => body)).toEqual([whole, { ...whole, live: true }]);
    });

    test('that are objects on the wire come back whole, too', async () => {
      const [alice, bob] = [someone(), someone()];
      const socket = await alice.connect(at().realtimes[0]);
      const inbox = await (await bob.connect(at().realtimes[1])).join('objects');
      const ids = [randomUUID(), randomUUID()] as const;
      await alice.send(at().apis[0], { recipient: bob.key, messageBox: 'objects', messageId: ids[0], body: whole });
      expect(await socket.send(bob.key, 'objects', ids[1], whole)).toMatchObject({ status: 'success' });
      for (const id of ids) {
        const { body } = await inbox.waitFor(({ messageId }) => messageId === id);
        expect(JSON.parse(body)).toEqual(whole);
      }
      expect((await bob.createApp(at().apis[1]).list('objects')).map(({ body }) => body)).toEqual([whole, whole]);
    });

    test.each([
      ['text that is JSON', '{"a": 1}'],
      ['text with control characters and line ends', 'tab\t null\u0000 bell\u0007\r\n"quotes"\\ \u2028'],
      ['unicode', 'Grüße, 世界, 👩‍👩‍👧'],
      ['a number as text', '007'],
    ])('of %s are stored and pushed to the letter', async (_kind, body) => {
      const [alice, bob] = [someone(), someone()];
      const inbox = await (await bob.connect(at().realtimes[1])).join('letters');
      const socket = await alice.connect(at().realtimes[0]);
      const ids = [randomUUID(), randomUUID()] as const;
      await alice.send(at().apis[0], { recipient: bob.key, messageBox: 'letters', messageId: ids[0], body });
      await socket.send(bob.key, 'letters', ids[1], body);
      for (const id of ids) expect((await inbox.waitFor(({ messageId }) => messageId === id)).body).toBe(body);
      expect((await bob.list(at().apis[1], 'letters')).map((message) => message.body)).toEqual([body, body]);
    });
  });
}
