import { randomUUID } from 'node:crypto';
import { type Clients, registryClients } from '../clients.js';
import type { Deployment } from '../deployments.js';
import { waitUntil } from '../history.js';
import { createPeople } from '../people.js';

/** The next whole second that is at least this far away, because times are kept in seconds. */
const secondsAhead = (seconds: number) => new Date((Math.ceil(Date.now() / 1_000) + seconds) * 1_000).toISOString();

/** How many messages wait, and what has become of those that were sent. */
export function badgesAndReceiptsSuite(at: () => Deployment, clients: Clients = registryClients): void {
  describe('badges and receipts', () => {
    const someone = createPeople(clients);
    type Person = ReturnType<typeof someone>;

    const send = async (by: Person, to: Person, over: object = {}) => {
      const messageId = randomUUID();
      const message = { recipient: to.key, messageBox: 'inbox', messageId, body: 'hello', ...over };
      expect(await by.send(at().apis[0], message)).toMatchObject({ status: 200 });
      return messageId;
    };
    const boxStatus = (by: Person, request: object = {}, api = at().apis[1]) => by.post(`${api}/boxStatus`, request);
    const sentStatus = (by: Person, request: object, api = at().apis[1]) => by.post(`${api}/sentStatus`, request);
    const statesOf = async (by: Person, ...messageIds: string[]) => {
      const { status, body } = await sentStatus(by, { messageIds });
      expect(status).toBe(200);
      return (body['statuses'] as { state: string }[]).map(({ state }) => state);
    };
    const iso = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);

    test('a badge counts what waits in each of the own boxes, at every instance', async () => {
      const [alice, bob] = [someone(), someone()];
      const first = await send(alice, bob);
      await send(alice, bob, { body: 'grüße' });
      await send(alice, bob, { messageBox: 'a', body: 'x' });
      await send(bob, alice);
      const [a, inbox] = [
        { messageBox: 'a', count: 1, bytes: 1, oldest: iso, newest: iso },
        { messageBox: 'inbox', count: 2, bytes: 12, oldest: iso, newest: iso },
      ];
      for (const api of at().apis) {
        expect(await boxStatus(bob, {}, api)).toEqual({ status: 200, body: { status: 'success', boxes: [a, inbox] } });
        expect(await boxStatus(bob, { messageBox: 'inbox' }, api)).toMatchObject({ body: { boxes: [inbox] } });
      }
      await bob.acknowledge(at().apis[0], first);
      const listed = await bob.list(at().apis[0], 'inbox');
      const [only] = listed as unknown as { createdAt: string }[];
      expect(await boxStatus(bob, { messageBox: 'inbox' })).toMatchObject({
        body: { boxes: [{ count: 1, bytes: 7, oldest: only?.createdAt, newest: only?.createdAt }] },
      });
      expect(await boxStatus(bob, { messageBox: 'unknown' })).toEqual({
        status: 200,
        body: {
          status: 'success',
          boxes: [{ messageBox: 'unknown', count: 0, bytes: 0, oldest: null, newest: null }],
        },
      });
      expect(await boxStatus(someone())).toEqual({ status: 200, body: { status: 'success', boxes: [] } });
    });

    test('boxes come page by page', async () => {
      const [alice, bob] = [someone(), someone()];
      const names = ['ä', 'B', 'a', '👋', 'z'];
      for (const messageBox of names) await send(alice, bob, { messageBox });
      const seen: string[] = [];
      let next: unknown;
      do {
        const { body } = await boxStatus(bob, { limit: 2, ...(next === undefined ? {} : { after: next }) });
        seen.push(...(body['boxes'] as { messageBox: string }[]).map(({ messageBox }) => messageBox));
        next = body['next'];
        expect(body['hasMore']).toBe(next === undefined ? undefined : true);
      } while (next !== undefined);
      expect(seen).toEqual(['B', 'a', 'z', 'ä', '👋']);
    });

    test('a list of which only the number is asked has no messages, and is one that clients read', async () => {
      const [alice, bob] = [someone(), someone()];
      await send(alice, bob);
      await send(alice, bob, { body: 'hi' });
      const count = { messageBox: 'inbox', count: 2, bytes: 7, oldest: iso, newest: iso };
      expect(await bob.page(at().apis[1], 'inbox', { countOnly: true })).toEqual({
        status: 'success',
        messages: [],
        hasMore: false,
        ...count,
      });
      // As today's clients ask, which page by offset.
      const page = await bob.page(at().apis[0], 'inbox', { countOnly: true, offset: 0, limit: 100 });
      expect(page).toMatchObject({ messages: [], hasMore: false, count: 2 });
      expect((await bob.page(at().apis[0], 'inbox', { countOnly: false })).messages).toHaveLength(2);
    });

    test('a sender is told what has become of a message, at every instance', async () => {
      const [alice, bob, carol] = [someone(), someone(), someone()];
      const [kept, read, gone] = [
        await send(alice, bob),
        await send(alice, bob),
        await send(alice, bob, { expiresAt: secondsAhead(2) }),
      ];
      expect((await bob.acknowledge(at().apis[0], read)).status).toBe(200);
      await waitUntil('the message has expired', async () => (await statesOf(alice, gone))[0] === 'expired');
      const messageIds = [gone, kept, 'never sent', read];
      for (const api of at().apis) {
        expect(await sentStatus(alice, { messageIds }, api)).toEqual({
          status: 200,
          body: {
            status: 'success',
            statuses: [
              // Until it is removed, its row says to whom it was sent.
              expect.objectContaining({ messageId: gone, state: 'expired' }),
              { messageId: kept, recipient: bob.key, state: 'stored' },
              { messageId: 'never sent', state: 'unknown' },
              { messageId: read, state: 'acknowledged' },
            ],
          },
        });
        expect(await sentStatus(alice, { messageIds: [read, kept], recipient: bob.key }, api)).toMatchObject({
          body: {
            statuses: [
              { messageId: read, recipient: bob.key, state: 'acknowledged' },
              { messageId: kept, recipient: bob.key, state: 'stored' },
            ],
          },
        });
      }
      // Whoever asks about the sends of others is told the same as about nothing.
      expect(await statesOf(carol, ...messageIds)).toEqual(['unknown', 'unknown', 'unknown', 'unknown']);
      expect(await statesOf(bob, ...messageIds)).toEqual(['unknown', 'unknown', 'unknown', 'unknown']);
    });

    test('a batch is told by recipient, and a live send as any other', async () => {
      const [alice, bob, carol] = [someone(), someone(), someone()];
      const messageId = randomUUID();
      const batch = { recipient: [bob.key, carol.key], messageId: [messageId, messageId] };
      expect(await alice.send(at().apis[0], { ...batch, messageBox: 'inbox', body: 'hello' })).toMatchObject({
        status: 200,
      });
      await carol.acknowledge(at().apis[1], messageId);
      expect(await sentStatus(alice, { messageIds: [messageId] })).toMatchObject({
        body: {
          statuses: [
            { messageId, recipient: bob.key, state: 'stored' },
            { messageId, state: 'acknowledged' },
          ],
        },
      });
      const [live, socket] = [randomUUID(), await alice.connect(at().realtimes[0])];
      await socket.send(bob.key, 'inbox', live, 'hello');
      expect(await statesOf(alice, live)).toEqual(['stored']);
      await bob.acknowledge(at().apis[0], live);
      expect(await statesOf(alice, live)).toEqual(['acknowledged']);
    });

    test('a recipient switches it off: for a box, for a sender, and on again', async () => {
      const [alice, bob, carol] = [someone(), someone(), someone()];
      const set = async (permission: object) => {
        const answer = await bob.post(`${at().apis[0]}/permissions/set`, { messageBox: 'inbox', ...permission });
        expect(answer).toMatchObject({ status: 200, body: { status: 'success' } });
      };
      await set({ recipientFee: 0, receipts: false });
      await set({ recipientFee: 0, receipts: true, sender: carol.key });
      const [hidden, elsewhere, told] = [
        await send(alice, bob),
        await send(alice, bob, { messageBox: 'letters' }),
        await send(carol, bob),
      ];
      expect(await statesOf(alice, hidden, elsewhere)).toEqual(['unknown', 'stored']);
      expect(await statesOf(carol, told)).toEqual(['stored']);
      await bob.acknowledge(at().apis[1], hidden, elsewhere, told);
      expect(await statesOf(alice, hidden, elsewhere)).toEqual(['unknown', 'acknowledged']);
      expect(await statesOf(carol, told)).toEqual(['acknowledged']);

      // A client that does not know of receipts changes the fee only.
      await set({ recipientFee: 7 });
      expect(await bob.get(`${at().apis[1]}/permissions/get?messageBox=inbox`)).toMatchObject({
        body: { permission: { recipientFee: 7, receipts: false } },
      });
      const { body } = await bob.get(`${at().apis[0]}/permissions/list?createdAtOrder=asc`);
      expect(body['permissions']).toMatchObject([
        { sender: null, receipts: false },
        { sender: carol.key, receipts: true },
      ]);
      await set({ recipientFee: 0, receipts: null });
      const again = await bob.get(`${at().apis[1]}/permissions/get?messageBox=inbox`);
      expect((again.body['permission'] as object | null) ?? {}).not.toHaveProperty('receipts');
      const next = await send(alice, bob);
      await bob.acknowledge(at().apis[0], next);
      expect(await statesOf(alice, next, hidden)).toEqual(['acknowledged', 'unknown']);
    });

    test('what is deleted with an account is unknown', async () => {
      const [alice, bob] = [someone(), someone()];
      const sent = await send(alice, bob);
      await bob.acknowledge(at().apis[0], sent);
      expect(await statesOf(alice, sent)).toEqual(['acknowledged']);
      const answer = await alice.post(`${at().apis[0]}/account/delete`, { confirm: alice.key });
      expect(answer).toMatchObject({ status: 200 });
      expect(await statesOf(alice, sent)).toEqual(['unknown']);
    });
  });
}
