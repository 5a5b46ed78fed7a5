import { randomUUID } from 'node:crypto';
import { type Clients, registryClients } from '../clients.js';
import type { Deployment } from '../deployments.js';
import { createPeople, type Person } from '../people.js';

/** The order of a box, and reading it in pages. */
export function listingSuite(at: () => Deployment, clients: Clients = registryClients): void {
  describe('listing', () => {
    const someone = createPeople(clients);

    test('is in the order of storing, for HTTP and live sends', async () => {
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
      expect((await bob.createApp(at().apis[1]).list('inbox')).map(({ messageId }) => messageId)).toEqual(ids);
    });

    test('continues after the last message of a page', async () => {
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

    test('continues with the next message after an acknowledged one', async () => {
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

    /** Reads a box as today's clients do: on to `nextOffset` while `hasMore` is true. */
    async function readByOffset(reader: Person, messageBox: string, pageSize?: number) {
      const read = { bodies: [] as string[], ids: [] as string[], pages: [] as number[] };
      for (let [offset, page]: [number, number] = [0, 0]; ; page++) {
        const limit = pageSize === undefined ? {} : { limit: pageSize };
        // A different instance for each page.
        const answer = await reader.page(at().apis[page % 2] as string, messageBox, { offset, ...limit });
        if (page === 100) throw new Error('the pages never end');
        const { messages, hasMore, nextOffset } = answer;
        read.bodies.push(...messages.map(({ body }) => body));
        read.ids.push(...messages.map(({ messageId }) => messageId));
        read.pages.push(messages.length);
        expect(answer).toMatchObject({ status: 'success', offset, limit: pageSize ?? 1_000 });
        if (hasMore !== true) {
          expect([hasMore, nextOffset]).toEqual([false, null]);
          return read;
        }
        expect(nextOffset).toBe(offset + messages.length);
        offset = Number(nextOffset);
      }
    }

    test('25 messages by pages of 10 are 25 messages', async () => {
      const [alice, bob] = [someone(), someone()];
      const ids = Array.from({ length: 25 }, () => randomUUID());
      for (const messageId of ids)
        await alice.send(at().apis[0], { recipient: bob.key, messageBox: 'inbox', messageId, body: messageId });
      const read = await readByOffset(bob, 'inbox', 10);
      expect(read).toEqual({ ids, bodies: ids, pages: [10, 10, 5] });
      expect((await readByOffset(bob, 'inbox')).pages).toEqual([25]);
      expect((await readByOffset(bob, 'inbox', 25)).pages).toEqual([25]);
      expect((await readByOffset(bob, 'nothing here')).pages).toEqual([0]);
    });

    test.each([
      ['5 MB', Array.from({ length: 10 }, () => 500_000)],
      ['18 MB', [...Array.from({ length: 8 }, () => 2_000_000), ...Array.from({ length: 5 }, () => 400_000)]],
      ['one message of 4 MiB between small ones', [10, 4 * 1_048_576, 10]],
    ])(
      'a box of %s is read whole by pages of about 1 MiB',
      async (_what, sizes) => {
        const [alice, bob] = [someone(), someone()];
        const bodies = sizes.map((size, n) => String(n).padEnd(size, '.'));
        for (const body of bodies) {
          const messageId = randomUUID();
          const sent = await alice.send(at().apis[0], { recipient: bob.key, messageBox: 'large', messageId, body });
          expect(sent).toMatchObject({ status: 200 });
        }
        const read = await readByOffset(bob, 'large');
        expect(read.bodies.map((body) => body.length)).toEqual(sizes);
        expect(read.bodies.every((body, n) => body === bodies[n])).toBe(true);
        expect(read.pages.length).toBeGreaterThan(1);
      },
      120_000,
    );

    test('finds one message by its id at any instance, and never another identity’s', async () => {
      const [alice, bob, carol] = [someone(), someone(), someone()];
      const ids = [randomUUID(), 'i'.repeat(256), '箱'.repeat(255)];
      for (const messageId of ids)
        await alice.send(at().apis[0], { recipient: bob.key, messageBox: 'inbox', messageId, body: 'hello' });
      for (const [i, messageId] of ids.entries()) {
        const api = at().apis[i % 2] as string;
        for (const paging of [{}, { offset: 0 }]) {
          const page = await bob.page(api, 'inbox', { messageId, ...paging });
          expect(page.messages).toMatchObject([{ messageId, body: 'hello' }]);
          expect((await carol.page(api, 'inbox', { messageId, ...paging })).messages).toEqual([]);
          expect((await bob.page(api, 'other', { messageId, ...paging })).messages).toEqual([]);
        }
        expect(await bob.acknowledge(api, messageId)).toMatchObject({ status: 200 });
        expect((await bob.page(api, 'inbox', { messageId, offset: 0 })).messages).toEqual([]);
      }
    });

    test.each([
      [{ limit: 0 }, 'ERR_INVALID_LIMIT'],
      [{ offset: 0, limit: 1_001 }, 'ERR_INVALID_LIMIT'],
      [{ offset: -1 }, 'ERR_INVALID_OFFSET'],
      [{ offset: 0.5 }, 'ERR_INVALID_OFFSET'],
      [{ offset: '0' }, 'ERR_INVALID_OFFSET'],
      [{ offset: 100_001 }, 'ERR_INVALID_OFFSET'],
      [{ offset: 0, messageId: '' }, 'ERR_INVALID_MESSAGEID'],
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
