import { randomUUID } from 'node:crypto';
import { type Clients, registryClients } from '../clients.js';
import type { Deployment } from '../deployments.js';
import { createPeople } from '../people.js';

/** Sending, listing and acknowledging by requests. What one api takes, the other one knows. */
export function httpSuite(at: () => Deployment, clients: Clients = registryClients): void {
  describe('over HTTP', () => {
    const someone = createPeople(clients);

    test.each([
      ['an encrypted message', false],
      ['a plain message', true],
    ])('%s is sent, listed, acknowledged and gone', async (_kind, skipEncryption) => {
      const [first, second] = at().apis;
      const [alice, bob] = [someone(), someone()];
      const body = `Hello Bob, ${randomUUID()}`;
      const sent = await alice.createApp(first).send({ recipient: bob.key, messageBox: 'inbox', body, skipEncryption });
      expect(sent).toMatchObject({ status: 'success' });

      const [stored] = await bob.list(second, 'inbox');
      if (skipEncryption) expect(stored?.body).toBe(body);
      else expect(Object.keys(JSON.parse(stored?.body ?? ''))).toEqual(['encryptedMessage']);

      const app = bob.createApp(second);
      const listed = await app.list('inbox');
      expect(listed).toMatchObject([{ messageId: sent.messageId, sender: alice.key, body }]);
      expect(await app.acknowledge(sent.messageId)).toBe('success');
      expect(await app.list('inbox')).toEqual([]);
      expect(await bob.list(first, 'inbox')).toEqual([]);
    });

    test('a send to one recipient has exactly the documented answer', async () => {
      const [alice, bob] = [someone(), someone()];
      const message = { recipient: bob.key, messageBox: 'inbox', messageId: randomUUID(), body: 'hello' };
      const results = [{ recipient: bob.key, messageId: message.messageId }];
      expect(await alice.send(at().apis[0], message)).toEqual({
        status: 200,
        body: {
          status: 'success',
          messageId: message.messageId,
          message: `Your message has been sent to ${bob.key}`,
          results,
        },
      });
    });

    test.each(['recipients', 'recipient'])('several recipients in `%s` get one message each', async (field) => {
      const [alice, bob, carol] = [someone(), someone(), someone()];
      const messageId = [randomUUID(), randomUUID()];
      const answer = await alice.send(at().apis[0], {
        [field]: [bob.key, carol.key],
        messageBox: 'inbox',
        messageId,
        body: 'to both of you',
      });
      expect(answer.status).toBe(200);
      expect(answer.body).toEqual({
        status: 'success',
        messageId,
        message: expect.stringMatching(/\b2\b/),
        results: [
          { recipient: bob.key, messageId: messageId[0] },
          { recipient: carol.key, messageId: messageId[1] },
        ],
      });
      expect(await bob.list(at().apis[1], 'inbox')).toMatchObject([
        { messageId: messageId[0], body: 'to both of you' },
      ]);
      expect(await carol.list(at().apis[1], 'inbox')).toMatchObject([{ messageId: messageId[1] }]);
    });

    test('a send to several recipients with too few ids is refused, and stores nothing', async () => {
      const [alice, bob, carol] = [someone(), someone(), someone()];
      const answer = await alice.send(at().apis[0], {
        recipients: [bob.key, carol.key],
        messageBox: 'inbox',
        messageId: [randomUUID()],
        body: 'hello',
      });
      expect(answer).toMatchObject({ status: 400, body: { status: 'error', code: 'ERR_MESSAGEID_COUNT_MISMATCH' } });
      expect(await bob.list(at().apis[1], 'inbox')).toEqual([]);
    });

    test('a listed message has all its fields', async () => {
      const [alice, bob] = [someone(), someone()];
      const before = Date.now();
      const messageId = randomUUID();
      await alice.send(at().apis[0], { recipient: bob.key, messageBox: 'inbox', messageId, body: 'hello' });
      const page = await bob.page(at().apis[1], 'inbox');
      const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/);
      const times = { created_at: time, updated_at: time, createdAt: time, updatedAt: time };
      expect(page).toEqual({
        status: 'success',
        messages: [{ messageId, body: 'hello', sender: alice.key, ...times }],
      });
      const [listed] = page.messages as unknown as { createdAt: string }[];
      expect(Math.abs(Date.parse(listed?.createdAt ?? '') - before)).toBeLessThan(30_000);
    });

    test('a body of 1 MB comes back whole', async () => {
      const [alice, bob] = [someone(), someone()];
      const body = `${'0123456789abcdef'.repeat(65_536)}, the end`;
      await alice.createApp(at().apis[0]).send({ recipient: bob.key, messageBox: 'inbox', body, skipEncryption: true });
      const [listed] = await bob.createApp(at().apis[1]).list('inbox');
      expect(listed?.body === body).toBe(true);
    });

    test('an unknown box is empty', async () => {
      expect(await someone().createApp(at().apis[0]).list('never-used')).toEqual([]);
    });

    test('acknowledging deletes only the caller’s messages', async () => {
      const [alice, bob, mallory] = [someone(), someone(), someone()];
      const [api] = at().apis;
      const [theirs, own] = [randomUUID(), randomUUID()];
      await alice.send(api, { recipient: bob.key, messageBox: 'inbox', messageId: theirs, body: 'for Bob' });
      const refusal = { status: 400, body: { status: 'error', code: 'ERR_INVALID_ACKNOWLEDGMENT' } };
      expect(await mallory.acknowledge(api, theirs)).toMatchObject(refusal);
      expect(await alice.acknowledge(api, theirs)).toMatchObject(refusal);

      await alice.send(api, { recipient: mallory.key, messageBox: 'inbox', messageId: own, body: 'for Mallory' });
      expect(await mallory.acknowledge(api, theirs, own)).toEqual({ status: 200, body: { status: 'success' } });
      expect(await mallory.listIds(api, 'inbox')).toEqual([]);
      expect(await bob.listIds(api, 'inbox')).toEqual([theirs]);

      expect(await bob.acknowledge(api, theirs)).toEqual({ status: 200, body: { status: 'success' } });
      expect(await bob.acknowledge(api, theirs)).toMatchObject(refusal);
    });
  });
}
