import { randomUUID } from 'node:crypto';
import type { MessageBoxClient } from '@bsv/message-box-client';
import { isName, MAX_BOX_BYTES } from '@messagebox/test-kit';
import { type Clients, registryClients } from '../clients.js';
import type { Deployment } from '../deployments.js';
import { createPeople } from '../people.js';

type MultiQuote = Extract<Awaited<ReturnType<MessageBoxClient['getMessageBoxQuote']>>, { quotesByRecipient: unknown }>;

/** Permissions and prices. A setting made at one api applies at every api and realtime at once. */
export function permissionsSuite(at: () => Deployment, clients: Clients = registryClients): void {
  describe('permissions', () => {
    const someone = createPeople(clients);
    type Person = ReturnType<typeof someone>;

    /** The real client tells the console what it quotes, and what was refused. */
    beforeEach(() => {
      for (const method of ['log', 'warn', 'error'] as const) jest.spyOn(console, method).mockReturnValue();
    });
    afterEach(() => void jest.restoreAllMocks());

    const set = (owner: Person, permission: object) => owner.post(`${at().apis[0]}/permissions/set`, permission);
    const quoteOf = async (asker: Person, recipient: string, messageBox: string) =>
      (await asker.createApp(at().apis[1]).client.getMessageBoxQuote({ recipient, messageBox }, at().apis[1])) as {
        recipientFee: number;
        deliveryFee: number;
        deliveryAgentIdentityKey: string;
      };
    const iso = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    const message = (recipient: string | string[], messageBox = 'inbox') => ({
      recipient,
      messageBox,
      messageId: Array.isArray(recipient) ? recipient.map(() => randomUUID()) : randomUUID(),
      body: 'hello',
    });

    describe('by the real client', () => {
      test.each([
        [-1, 'blocked'],
        [0, 'always_allow'],
        [250, 'payment_required'],
        [2_147_483_647, 'payment_required'],
      ])('set to %i, got and listed as %s', async (recipientFee, status) => {
        const [alice, bob] = [someone(), someone()];
        const [first, second] = at().apis;
        const { client } = bob.createApp(first);
        const permission = { messageBox: 'chat', sender: alice.key, recipientFee };
        expect(await client.setMessageBoxPermission(permission, first)).toBeUndefined();
        const expected = { ...permission, status, createdAt: iso, updatedAt: iso };
        const key = { recipient: bob.key, messageBox: 'chat', sender: alice.key };
        expect(await client.getMessageBoxPermission(key, second)).toMatchObject(expected);
        expect(await client.listMessageBoxPermissions(undefined, second)).toEqual([expected]);
        expect(await client.listMessageBoxPermissions({ messageBox: 'chat' }, second)).toEqual([expected]);
        expect(await client.listMessageBoxPermissions({ messageBox: 'other' }, second)).toEqual([]);
      });

      test('box-wide permissions have no sender, and stand beside those of single senders', async () => {
        const [alice, bob] = [someone(), someone()];
        const [api] = at().apis;
        const { client } = bob.createApp(api);
        await client.setMessageBoxPermission({ messageBox: 'chat', sender: alice.key, recipientFee: 3 }, api);
        await client.setMessageBoxPermission({ messageBox: 'chat', recipientFee: 7 }, api);
        const key = { recipient: bob.key, messageBox: 'chat' };
        expect(await client.getMessageBoxPermission(key, api)).toMatchObject({ sender: null, recipientFee: 7 });
        const listed = await client.listMessageBoxPermissions({ messageBox: 'chat' }, api);
        // Newest first.
        expect(listed.map(({ sender, recipientFee }) => [sender, recipientFee])).toEqual([
          [null, 7],
          [alice.key, 3],
        ]);
      });

      test('a permission that is not set is null, and nobody sees the permissions of others', async () => {
        const [alice, bob] = [someone(), someone()];
        const [api] = at().apis;
        await set(bob, { messageBox: 'chat', sender: alice.key, recipientFee: 3 });
        const key = { recipient: bob.key, messageBox: 'chat', sender: alice.key };
        // The caller's own box is meant, whoever is named.
        expect(await alice.createApp(api).client.getMessageBoxPermission(key, api)).toBeNull();
        expect(await alice.createApp(api).client.listMessageBoxPermissions({}, api)).toEqual([]);
        const carol = { ...key, sender: someone().key };
        expect(await bob.createApp(api).client.getMessageBoxPermission(carol, api)).toBeNull();
      });

      // Today's clients name no box by a text with space around it.
      const names = ['grün & blau', "it's + 100%", '箱🎉', 'a/b?c#d=e', ' padded '];
      test.each(names.filter((name) => clients.kind === 'registry' || isName(name, MAX_BOX_BYTES)))(
        'a box called %j',
        async (messageBox) => {
          const [alice, bob] = [someone(), someone()];
          const [api] = at().apis;
          const { client } = bob.createApp(api);
          await client.setMessageBoxPermission({ messageBox, sender: alice.key, recipientFee: 3 }, api);
          const key = { recipient: bob.key, messageBox, sender: alice.key };
          expect(await client.getMessageBoxPermission(key, api)).toMatchObject({ messageBox, recipientFee: 3 });
          expect(await client.listMessageBoxPermissions({ messageBox }, api)).toMatchObject([{ messageBox }]);
          expect(await quoteOf(alice, bob.key, messageBox)).toMatchObject({ recipientFee: 3 });
        },
      );

      test('lists permissions page by page', async () => {
        const bob = someone();
        const [api] = at().apis;
        const { client } = bob.createApp(api);
        for (const recipientFee of [1, 2, 3]) {
          await client.setMessageBoxPermission({ messageBox: `box ${recipientFee}`, recipientFee }, api);
        }
        const fees = async (page: object) =>
          (await client.listMessageBoxPermissions(page, api)).map(({ recipientFee }) => recipientFee);
        expect(await fees({ limit: 2 })).toEqual([3, 2]);
        expect(await fees({ limit: 2, offset: 2 })).toEqual([1]);
        expect(await fees({ limit: 1_000, offset: 3 })).toEqual([]);
      });

      test('notifications of a peer: allowed, denied, at a price, and listed', async () => {
        const [alice, bob] = [someone(), someone()];
        const [api] = at().apis;
        const { client } = bob.createApp(api);
        const status = async () => await client.checkPeerNotificationStatus(alice.key, api);
        expect(await status()).toBeNull();
        await client.allowNotificationsFromPeer(alice.key, undefined, api);
        expect(await status()).toMatchObject({ recipientFee: 0, status: 'always_allow' });
        await client.denyNotificationsFromPeer(alice.key, api);
        expect(await status()).toMatchObject({ recipientFee: -1, status: 'blocked' });
        await client.allowNotificationsFromPeer(alice.key, 5, api);
        expect(await client.listPeerNotifications(api)).toEqual([
          {
            sender: alice.key,
            messageBox: 'notifications',
            recipientFee: 5,
            status: 'payment_required',
            createdAt: iso,
            updatedAt: iso,
          },
        ]);
      });

      test('a quote uses the sender’s permission, then the box’s, then the default', async () => {
        const [alice, bob, carol] = [someone(), someone(), someone()];
        expect(await quoteOf(alice, bob.key, 'inbox')).toMatchObject({ recipientFee: 0, deliveryFee: 0 });
        expect(await quoteOf(alice, bob.key, 'notifications')).toMatchObject({ recipientFee: 10, deliveryFee: 10 });
        await set(bob, { messageBox: 'notifications', recipientFee: 20 });
        await set(bob, { messageBox: 'notifications', sender: alice.key, recipientFee: 0 });
        expect(await quoteOf(alice, bob.key, 'notifications')).toMatchObject({ recipientFee: 0, deliveryFee: 10 });
        expect(await quoteOf(carol, bob.key, 'notifications')).toMatchObject({ recipientFee: 20, deliveryFee: 10 });
        await set(bob, { messageBox: 'notifications', recipientFee: -1 });
        expect(await quoteOf(alice, bob.key, 'notifications')).toMatchObject({ recipientFee: 0 });
        expect(await quoteOf(carol, bob.key, 'notifications')).toMatchObject({ recipientFee: -1 });
        const { deliveryAgentIdentityKey } = await quoteOf(carol, bob.key, 'inbox');
        expect(deliveryAgentIdentityKey).toMatch(/^0[23][0-9a-f]{64}$/);
      });

      test('quotes several recipients at once', async () => {
        const [alice, bob, carol, dave] = [someone(), someone(), someone(), someone()];
        const [api] = at().apis;
        await set(bob, { messageBox: 'notifications', recipientFee: 7 });
        await set(carol, { messageBox: 'notifications', sender: alice.key, recipientFee: -1 });
        const recipient = [carol.key, bob.key, dave.key];
        const quotes = (await alice
          .createApp(api)
          .client.getMessageBoxQuote({ recipient, messageBox: 'notifications' }, api)) as MultiQuote;
        const each = { messageBox: 'notifications', deliveryFee: 10 };
        expect(quotes.quotesByRecipient).toEqual([
          { ...each, recipient: carol.key, recipientFee: -1, status: 'blocked' },
          { ...each, recipient: bob.key, recipientFee: 7, status: 'payment_required' },
          { ...each, recipient: dave.key, recipientFee: 10, status: 'payment_required' },
        ]);
        expect(quotes.blockedRecipients).toEqual([carol.key]);
        expect(Object.keys(quotes.deliveryAgentIdentityKeyByHost)).toEqual([api]);
      });

      test('a blocked sender cannot send, over HTTP or live, with or without a quote', async () => {
        const [alice, bob] = [someone(), someone()];
        const { apis, realtimes } = at();
        await bob.createApp(apis[0]).client.setMessageBoxPermission({ messageBox: 'chat', recipientFee: -1 }, apis[0]);
        const app = alice.createApp(apis[1], realtimes[0]);
        const to = { recipient: bob.key, messageBox: 'chat', body: 'hello' };
        await expect(app.send(to)).rejects.toThrow('HTTP 403');
        await expect(app.client.sendMessage({ ...to, checkPermissions: true }, apis[1])).rejects.toThrow('blocked');
        await app.connect();
        const failed = app.waitForEvent('messageFailed');
        await expect(app.sendLive(to)).rejects.toThrow('HTTP 403'); // after the error ack, it tries over HTTP
        expect(await failed).toMatchObject({ code: 'ERR_DELIVERY_BLOCKED', blockedRecipients: [bob.key] });
        expect(await bob.list(apis[0], 'chat')).toEqual([]);
        await bob.createApp(apis[0]).client.setMessageBoxPermission({ messageBox: 'chat', recipientFee: 0 }, apis[0]);
        expect(await app.sendLive(to)).toMatchObject({ status: 'success' });
        expect(await app.send({ ...to, body: 'again' })).toMatchObject({ status: 'success' });
        expect(await bob.list(apis[1], 'chat')).toHaveLength(2);
      });
    });

    test('the answers are exactly the documented ones, in both spellings', async () => {
      const [alice, bob] = [someone(), someone()];
      const [api] = at().apis;
      for (const permission of [
        { messageBox: 'chat', sender: alice.key, recipientFee: 3 },
        { message_box: 'chat', sender: alice.key.toUpperCase(), recipient_fee: 4 },
      ]) {
        const { status, body } = await set(bob, permission);
        expect({ status, body }).toEqual({
          status: 200,
          body: { status: 'success', description: expect.stringMatching(/\d satoshis/) },
        });
      }
      const permission = {
        sender: alice.key,
        messageBox: 'chat',
        message_box: 'chat',
        recipientFee: 4,
        recipient_fee: 4,
        status: 'payment_required',
        createdAt: iso,
        created_at: iso,
        updatedAt: iso,
        updated_at: iso,
      };
      for (const name of ['messageBox', 'message_box']) {
        const query = `${name}=chat&sender=${alice.key}`;
        const got = await bob.get(`${api}/permissions/get?${query}&recipient=${bob.key}`);
        expect(got).toEqual({
          status: 200,
          body: { status: 'success', description: expect.stringMatching(/\w/), permission },
        });
        expect((await bob.get(`${api}/permissions/list?${name}=chat`)).body).toEqual({
          status: 'success',
          permissions: [permission],
          totalCount: 1,
        });
        expect((await alice.get(`${api}/permissions/quote?${name}=chat&recipient=${bob.key}`)).body).toEqual({
          status: 'success',
          description: expect.stringMatching(/\w/),
          quote: { deliveryFee: 0, recipientFee: 4 },
        });
      }
      expect((await bob.get(`${api}/permissions/get?messageBox=none`)).body).toEqual({
        status: 'success',
        description: expect.stringMatching(/\w/),
        permission: null,
      });
      const blocked = someone();
      await set(blocked, { messageBox: 'chat', recipientFee: -1 });
      // Recipients are named as they were asked for: clients look them up by that.
      const [first, second] = [bob.key.toUpperCase(), blocked.key];
      const several = `recipient=${first}&recipient=${second}&recipient=${first}&messageBox=chat`;
      const payable = {
        recipient: first,
        messageBox: 'chat',
        deliveryFee: 0,
        recipientFee: 4,
        status: 'payment_required',
      };
      expect((await alice.get(`${api}/permissions/quote?${several}`)).body).toEqual({
        status: 'success',
        description: expect.stringMatching(/\b3\b/),
        quotesByRecipient: [
          payable,
          { recipient: second, messageBox: 'chat', deliveryFee: 0, recipientFee: -1, status: 'blocked' },
          payable,
        ],
        totals: { deliveryFees: 0, recipientFees: 8, totalForPayableRecipients: 8 },
        blockedRecipients: [second],
      });
    });

    test('a box with a name that clients refuse to read spoils no list, and is there by its name', async () => {
      const bob = someone();
      const [api, other] = at().apis;
      const odd = ['x'.repeat(129), ' padded', 'bell\u0007', 'next\u0085line', '箱'.repeat(43), 'in\nbox'];
      for (const messageBox of ['first', ...odd, 'last']) await set(bob, { messageBox, recipientFee: 3 });
      const { body } = await bob.get(`${other}/permissions/list`);
      expect(body).toMatchObject({ permissions: [{ messageBox: 'last' }, { messageBox: 'first' }], totalCount: 2 });
      expect((await bob.get(`${other}/permissions/list?limit=1&offset=1`)).body).toMatchObject({
        permissions: [{ messageBox: 'first' }],
        totalCount: 2,
      });
      for (const messageBox of odd) {
        const query = new URLSearchParams({ messageBox });
        expect((await bob.get(`${api}/permissions/get?${query}`)).body).toMatchObject({
          permission: { messageBox, recipientFee: 3 },
        });
      }
    });

    test('lists the oldest first when asked to', async () => {
      const bob = someone();
      for (const recipientFee of [1, 2, 3]) await set(bob, { messageBox: `box ${recipientFee}`, recipientFee });
      const fees = async (query: string) => {
        const { body } = await bob.get(`${at().apis[1]}/permissions/list?${query}`);
        const { permissions, totalCount } = body as unknown as {
          permissions: { recipientFee: number }[];
          totalCount: number;
        };
        expect(totalCount).toBe(3);
        return permissions.map(({ recipientFee }) => recipientFee);
      };
      expect(await fees('createdAtOrder=asc&limit=2')).toEqual([1, 2]);
      expect(await fees('createdAtOrder=desc')).toEqual([3, 2, 1]);
    });

    test('100 recipients are quoted at once', async () => {
      const [alice, bob] = [someone(), someone()];
      await set(bob, { messageBox: 'chat', recipientFee: 6 });
      const recipients = `recipient=${bob.key}&`.repeat(100);
      const { status, body } = await alice.get(`${at().apis[1]}/permissions/quote?${recipients}messageBox=chat`);
      expect({ status, totals: body['totals'] }).toEqual({
        status: 200,
        totals: { deliveryFees: 0, recipientFees: 600, totalForPayableRecipients: 600 },
      });
    });

    test('one recipient’s block refuses the whole batch', async () => {
      const [alice, bob, carol] = [someone(), someone(), someone()];
      await set(carol, { messageBox: 'inbox', sender: alice.key, recipientFee: -1 });
      expect(await alice.send(at().apis[1], message([bob.key, carol.key]))).toEqual({
        status: 403,
        body: {
          status: 'error',
          code: 'ERR_DELIVERY_BLOCKED',
          description: expect.stringMatching(/\w/),
          blockedRecipients: [carol.key],
        },
      });
      for (const one of [bob, carol]) expect(await one.list(at().apis[0], 'inbox')).toEqual([]);
      expect(await bob.send(at().apis[1], message(carol.key))).toMatchObject({ status: 200 });
    });

    test('a blocked live send gets a failure and an ack that name the message, and nothing is stored or pushed', async () => {
      const [alice, bob] = [someone(), someone()];
      const { apis, realtimes } = at();
      const inbox = await (await bob.connect(realtimes[0])).join('inbox');
      const socket = await alice.connect(realtimes[1]);
      await set(bob, { messageBox: 'inbox', sender: alice.key, recipientFee: -1 });
      const messageId = randomUUID();
      const failed = socket.events('messageFailed').waitForNext();
      const refusal = { code: 'ERR_DELIVERY_BLOCKED', blockedRecipients: [bob.key], messageId };
      const description = expect.stringMatching(/\w/);
      expect(await socket.send(bob.key, 'inbox', messageId, 'hello')).toEqual({
        status: 'error',
        description,
        ...refusal,
      });
      expect(await failed).toEqual({ reason: description, ...refusal });
      expect(await bob.list(apis[0], 'inbox')).toEqual([]);
      await set(bob, { messageBox: 'inbox', sender: alice.key, recipientFee: 0 });
      const last = randomUUID();
      expect(await socket.send(bob.key, 'inbox', last, 'hello')).toMatchObject({ status: 'success' });
      await inbox.waitFor((push) => push.messageId === last);
      expect(inbox.all.map((push) => push.messageId)).toEqual([last]);
    });

    test('a send without its fee is refused, over HTTP and live', async () => {
      const [alice, bob, carol] = [someone(), someone(), someone()];
      const { apis, realtimes } = at();
      await set(bob, { messageBox: 'inbox', recipientFee: 5 });
      const due = { status: 400, body: { status: 'error', code: 'ERR_MISSING_PAYMENT_TX' } };
      expect(await alice.send(apis[1], message(bob.key))).toMatchObject(due);
      expect(await alice.send(apis[1], message([carol.key, bob.key]))).toMatchObject(due);
      expect(await alice.send(apis[1], message(carol.key, 'notifications'))).toMatchObject(due);
      const socket = await alice.connect(realtimes[1]);
      const messageId = randomUUID();
      const failed = socket.events('paymentFailed').waitForNext();
      const refusal = { code: 'ERR_MISSING_PAYMENT_TX', messageId };
      const description = expect.stringMatching(/\w/);
      expect(await socket.send(bob.key, 'inbox', messageId, 'hello')).toEqual({
        status: 'error',
        description,
        ...refusal,
      });
      expect(await failed).toEqual({ reason: description, ...refusal });
      expect(socket.events('messageFailed').all).toEqual([]);
      for (const one of [bob, carol]) {
        expect(await one.list(apis[0], 'inbox')).toEqual([]);
        expect(await one.list(apis[0], 'notifications')).toEqual([]);
      }
    });

    test('a message that is stored already is answered with success, even after a block', async () => {
      const [alice, bob] = [someone(), someone()];
      const { apis, realtimes } = at();
      const sent = message(bob.key);
      const first = await alice.send(apis[0], sent);
      for (const recipientFee of [-1, 100]) {
        await set(bob, { messageBox: 'inbox', recipientFee });
        expect(await alice.send(apis[1], sent)).toEqual(first);
        const socket = await alice.connect(realtimes[0]);
        const { messageId, body } = sent;
        expect(await socket.send(bob.key, 'inbox', String(messageId), body)).toEqual({ status: 'success', messageId });
        expect((await alice.send(apis[1], message(bob.key))).status).toBeGreaterThanOrEqual(400);
      }
      expect(await bob.listIds(apis[0], 'inbox')).toEqual([sent.messageId]);
    });

    test('100 racing sets of a box-wide permission: all succeed, one row, the last word counts', async () => {
      const bob = someone();
      const { apis } = at();
      for (const api of apis) await bob.list(api, 'none'); // one handshake, not a hundred
      const values = Array.from({ length: 100 }, (_, i) => i + 1);
      const answers = await Promise.all(
        values.map((recipientFee, i) =>
          bob.post(`${apis[i % 2]}/permissions/set`, { messageBox: 'raced', recipientFee }),
        ),
      );
      for (const { status } of answers) expect(status).toBe(200);
      const list = async () => (await bob.get(`${apis[0]}/permissions/list?messageBox=raced`)).body;
      expect(await list()).toMatchObject({ totalCount: 1 });
      const [{ recipientFee }] = (await list())['permissions'] as [{ recipientFee: number }];
      expect(values).toContain(recipientFee);
      await set(bob, { messageBox: 'raced', recipientFee: 777 });
      expect(await list()).toMatchObject({ totalCount: 1, permissions: [{ sender: null, recipientFee: 777 }] });
    });
  });
}
