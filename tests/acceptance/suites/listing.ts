import { randomUUID } from 'node:crypto';
import { type Clients, registryClients } from '../clients.js';
import type { Deployment } from '../deployments.js';
import { people } from '../people.js';

/** The order of a box, and reading it in pages. */
export function listingSuite(at: () => Deployment, clients: Clients = registryClients): void {
  describe('listing', () => {
    const someone = people(clients);

    test('is in the order of storing, by whichever way the messages came', async () => {
      const [alice, bob] = [someone(), someone()];
      const sockets = [await alice.connect(at().realtimes[0]), await alice.connect(at().realtimes[1])];
      const ids: string[] = [];
      for (let i = 0; i < 12; i++) {
        // Random ids, so that no order by id or by the second of storing can pass for the order of storing.
        const messageId = randomUUID();
        ids.push(messageId);
        const message = { recipient: bob.key, messageBox: 'inbox', messageId, body: `number ${i}` };
        if (i % 4 < 2) expect(await alice.send(at().apis[i % 2] as string, message)).toMatchObject({ status: 200 });
        else {
          const ack = await sockets[i % 2]?.send(bob.key, 'inbox', messageId, message.body);
          expect(ack).toMatchObject({ status: 'success' });
        }
      }
      expect(await bob.listIds(at().apis[0], 'inbox')).toEqual(ids);
      expect((await bob.app(at().apis[1]).list('inbox')).map(({ messageId }) => messageId)).toEqual(ids);
    });

    test('goes on after the last of a page', async () => {
      const [alice, bob] = [someone(), someone()];
      const [api, other] = at().apis;
      const ids = Array.from({ length: 5 }, () => randomUUID());
      for (const messageId of ids)
        await alice.send(api, { recipient: bob.key, messageBox: 'inbox', messageId, body: messageId });

      const first = await bob.page(api, 'inbox', { limit: 2 });
      expect(first).toMatchObject({ hasMore: true, next: expect.any(String) });
      const second = await bob.page(other, 'inbox', { limit: 2, after: first.next });
      expect(second).toMatchObject({ hasMore: true, next: expect.any(String) });
      const third = await bob.page(api, 'inbox', { limit: 2, after: second.next });
      expect(third).not.toHaveProperty('hasMore');
      const read = [first, second, third].map(({ messages }) => messages.map(({ messageId }) => messageId));
      expect(read).toEqual([ids.slice(0, 2), ids.slice(2, 4), ids.slice(4)]);

      const exact = await bob.page(api, 'inbox', { limit: 5 });
      expect(exact.messages).toHaveLength(5);
      expect(exact).not.toHaveProperty('hasMore');
      expect((await bob.page(api, 'inbox')).messages).toHaveLength(5);
    });

    test('after an acknowledged message goes on with the next one', async () => {
      const [alice, bob] = [someone(), someone()];
      const [api] = at().apis;
      const ids = Array.from({ length: 3 }, () => randomUUID());
      for (const messageId of ids)
        await alice.send(api, { recipient: bob.key, messageBox: 'inbox', messageId, body: messageId });
      const { next } = await bob.page(api, 'inbox', { limit: 1 });
      await bob.acknowledge(api, ids[0] as string);
      const rest = await bob.page(api, 'inbox', { after: next });
      expect(rest.messages.map(({ messageId }) => messageId)).toEqual(ids.slice(1));
    });

    test.each([
      [{ limit: 0 }, 'ERR_INVALID_LIMIT'],
      [{ limit: 1.5 }, 'ERR_INVALID_LIMIT'],
      [{ limit: '2' }, 'ERR_INVALID_LIMIT'],
      [{ after: 'tomorrow' }, 'ERR_INVALID_AFTER'],
    ])('refuses %p', async (paging, code) => {
      const answer = await someone().post(`${at().apis[0]}/listMessages`, { messageBox: 'inbox', ...paging });
      expect(answer).toMatchObject({ status: 400, body: { status: 'error', code } });
    });

    test('refuses a request without a box', async () => {
      const answer = await someone().post(`${at().apis[0]}/listMessages`, {});
      expect(answer).toMatchObject({ status: 400, body: { code: 'ERR_MESSAGEBOX_REQUIRED' } });
    });
  });
}
