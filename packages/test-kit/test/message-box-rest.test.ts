import { RequestRefusedError, StrictMessageBoxClient } from '../src/index.js';
import { HttpServer } from './support/http-server.js';
import { createParty } from './support/wallets.js';

type Fields = Record<string, unknown>;

describe('a client of message boxes, over HTTP', () => {
  const opened: { close(): unknown }[] = [];
  afterEach(async () => {
    for (const one of opened.splice(0)) await one.close();
  });

  async function world() {
    const server = new HttpServer();
    opened.push(server);
    const { wallet, key } = createParty();
    const client = new StrictMessageBoxClient({ host: await server.open(), walletClient: wallet, identityKey: key });
    /** Queues the responses, and records the requests. */
    const asked: { url: string; body: Fields }[] = [];
    const answer = (status: number, ...bodies: object[]) => {
      server.respond = ({ url, body }) => {
        asked.push({ url, body: body === '' ? {} : (JSON.parse(body) as Fields) });
        return { status, body: JSON.stringify(bodies.length > 1 ? bodies.shift() : bodies[0]) };
      };
    };
    return { server, client, key, answer, asked };
  }

  const alice = createParty();
  const time = '2026-11-22T10:00:00.000Z';
  const times = { created_at: time, updated_at: time, createdAt: time, updatedAt: time };
  const row = (messageId: string, body = 'hello') => ({ messageId, body, sender: alice.key, ...times });
  const permission = { sender: alice.key, messageBox: 'chat', recipientFee: 3, status: 'payment_required', ...times };
  const device = { id: 1, deviceId: null, platform: 'ios', fcmToken: '...abc', active: true, ...times, lastUsed: time };

  describe('lists', () => {
    const page = (rows: object[], offset: number, next: number | null, more: Fields = {}) => ({
      status: 'success',
      messages: rows,
      limit: 2,
      offset,
      nextOffset: next,
      hasMore: next !== null,
      ...more,
    });

    test('are read page by page until the last one', async () => {
      const { client, answer, asked } = await world();
      answer(200, page([row('1'), row('2')], 0, 2), page([row('3', '{"message":{"a":1}}')], 2, null));
      const listed = await client.listMessages({ messageBox: 'inbox', pageSize: 2 });
      expect(listed.map(({ messageId, body }) => [messageId, body])).toEqual([
        ['1', 'hello'],
        ['2', 'hello'],
        ['3', { a: 1 }],
      ]);
      expect(asked.map(({ body }) => body)).toEqual([
        { messageBox: 'inbox', offset: 0, limit: 2 },
        { messageBox: 'inbox', offset: 2, limit: 2 },
      ]);
    });

    test.each([
      ['no offset', page([], 0, null, { offset: undefined }), '9.2'],
      ['another offset', page([], 7, null), '9.2'],
      ['no limit', page([], 0, null, { limit: undefined }), '9.2'],
      ['no hasMore', page([], 0, null, { hasMore: undefined }), '9.2'],
      ['a nextOffset on the last page', page([], 0, null, { nextOffset: 0 }), '9.2'],
      ['no nextOffset', page([row('1')], 0, null, { hasMore: true }), '9.2'],
      ['a nextOffset that goes back', page([row('1')], 0, 0), '9.2'],
      ['a nextOffset that skips messages', page([row('1')], 0, 2), '9.2'],
      ['more messages than requested', page([row('1'), row('2'), row('3')], 0, null), '9.2'],
      ['the same message twice', page([row('1'), row('1')], 0, null), '9.2'],
      ['messages that are not an array', page([], 0, null, { messages: {} }), '4'],
      ['a body that is an object', page([{ ...row('1'), body: {} }], 0, null), '4'],
      ['an invalid sender', page([{ ...row('1'), sender: 'alice' }], 0, null), '4'],
      ['a message without an id', page([{ ...row('1'), messageId: '' }], 0, null), '4'],
      ['an invalid time', page([{ ...row('1'), created_at: 'today' }], 0, null), '4'],
    ])('are refused for %s', async (_what, body, rule) => {
      const { client, answer } = await world();
      answer(200, body);
      await expect(client.listMessages({ messageBox: 'inbox', pageSize: 2 })).rejects.toMatchObject({ rule });
    });
  });

  describe('permissions', () => {
    const got = (value: unknown) => ({ status: 'success', description: 'x', permission: value });
    const ask = (client: StrictMessageBoxClient, key: string) =>
      client.getMessageBoxPermission({ recipient: key, messageBox: 'chat', sender: alice.key });

    test('are records or null, in either spelling', async () => {
      const { client, key, answer } = await world();
      answer(200, got(permission));
      const { sender, messageBox, recipientFee, status, createdAt, updatedAt } = permission;
      const read = { sender, messageBox, recipientFee, status, createdAt, updatedAt };
      expect(await ask(client, key)).toEqual(read);
      answer(200, got({ sender, message_box: 'chat', recipient_fee: 3, created_at: time, updated_at: time }));
      expect(await ask(client, key)).toEqual(read);
      answer(200, got(null));
      expect(await ask(client, key)).toBeNull();
      answer(200, { status: 'success', permissions: [permission] });
      expect(await client.listMessageBoxPermissions()).toEqual([read]);
    });

    test.each([
      ['no permission', { status: 'success' }, '9.4'],
      ['a fee above 2^31-1', got({ ...permission, recipientFee: 2_147_483_648 }), '9.5'],
      ['a fee below -1', got({ ...permission, recipientFee: -2 }), '9.5'],
      ['a fee that is a string', got({ ...permission, recipientFee: '3' }), '9.5'],
      ['a box with surrounding spaces', got({ ...permission, messageBox: ' chat' }), '9.6'],
      ['a box of 129 bytes', got({ ...permission, messageBox: 'é'.repeat(65) }), '9.6'],
      ['a box with a control character', got({ ...permission, messageBox: 'ch\u0007at' }), '9.6'],
      ['an invalid sender', got({ ...permission, sender: '' }), '4'],
      ['no time', got({ ...permission, createdAt: undefined, created_at: undefined }), '4'],
    ])('are refused for %s', async (_what, body, rule) => {
      const { client, key, answer } = await world();
      answer(200, body);
      await expect(ask(client, key)).rejects.toMatchObject({ rule });
    });
  });

  describe('quotes', () => {
    const bob = createParty();
    const quote = (key: string, fee: number, status: string) => ({
      recipient: key,
      messageBox: 'chat',
      deliveryFee: 10,
      recipientFee: fee,
      status,
    });
    const quotes = [quote(alice.key, -1, 'blocked'), quote(bob.key, 5, 'payment_required')] as const;
    const several = { status: 'success', quotesByRecipient: quotes, blockedRecipients: [alice.key] };
    const ask = (client: StrictMessageBoxClient) =>
      client.getMessageBoxQuote({ recipient: [alice.key, bob.key], messageBox: 'chat' });

    test('are read for one recipient and for several', async () => {
      const { client, answer, server } = await world();
      answer(200, { status: 'success', quote: { deliveryFee: 1, recipientFee: 2 } });
      expect(await client.getMessageBoxQuote({ recipient: alice.key, messageBox: 'chat' })).toEqual({
        deliveryFee: 1,
        recipientFee: 2,
        deliveryAgentIdentityKey: server.stub.party.key,
      });
      answer(200, several);
      expect(await ask(client)).toMatchObject({
        quotesByRecipient: quotes,
        blockedRecipients: [alice.key],
        totals: { deliveryFees: 20, recipientFees: 5, totalForPayableRecipients: 25 },
      });
    });

    test.each([
      ['a missing quote', { ...several, quotesByRecipient: [quotes[0]] }, '4'],
      [
        'a quote that was not requested',
        { ...several, quotesByRecipient: [...quotes, quote(createParty().key, 0, 'x')] },
        '4',
      ],
      ['a repeated quote', { ...several, quotesByRecipient: [quotes[0], quotes[0]] }, '4'],
      [
        'a status that is not the fee`s',
        { ...several, quotesByRecipient: [quotes[0], quote(bob.key, 5, 'blocked')] },
        '4',
      ],
      ['another box', { ...several, quotesByRecipient: [{ ...quotes[0], messageBox: 'x' }, quotes[1]] }, '4'],
      ['other blocked recipients', { ...several, blockedRecipients: [bob.key] }, '4'],
      [
        'a delivery fee below 0',
        { ...several, quotesByRecipient: [{ ...quotes[0], deliveryFee: -1 }, quotes[1]] },
        '9.5',
      ],
    ])('are refused for %s', async (_what, body, rule) => {
      const { client, answer } = await world();
      answer(200, body);
      await expect(ask(client)).rejects.toMatchObject({ rule });
    });
  });

  describe('devices', () => {
    test('are listed page by page', async () => {
      const { client, answer, asked } = await world();
      answer(200, { status: 'success', devices: [device] });
      const { created_at: _c, updated_at: _u, ...read } = device;
      expect(await client.listRegisteredDevices(undefined, { limit: 1, offset: 2 })).toEqual([read]);
      expect(asked[0]?.url).toBe('/devices?limit=1&offset=2');
      answer(200, { status: 'success', message: 'registered', deviceId: 7 });
      expect(await client.registerDevice({ fcmToken: 'token' })).toMatchObject({ deviceId: 7 });
    });

    test.each([
      ['a time of last use that is null', { lastUsed: null }],
      ['an id that is a string', { id: '1' }],
      ['an unknown platform', { platform: 'windows' }],
      ['no active flag', { active: undefined }],
      ['an empty deviceId', { deviceId: '' }],
      ['a token that is not masked', { fcmToken: 'x'.repeat(65) }],
    ])('are refused by rule 9.7 for %s', async (_what, fields) => {
      const { client, answer } = await world();
      answer(200, { status: 'success', devices: [{ ...device, ...fields }] });
      await expect(client.listRegisteredDevices()).rejects.toMatchObject({ rule: '9.7' });
    });

    test('are refused by rule 9.7 when there are more than requested', async () => {
      const { client, answer } = await world();
      answer(200, { status: 'success', devices: [device, device] });
      await expect(client.listRegisteredDevices(undefined, { limit: 1 })).rejects.toMatchObject({ rule: '9.7' });
    });
  });

  describe('sends', () => {
    const sent = (more: Fields = {}) => ({ status: 'success', messageId: 'id', message: 'It has been sent.', ...more });
    const send = (client: StrictMessageBoxClient) =>
      client.sendMessage({ recipient: alice.key, messageBox: 'chat', body: 'hello', messageId: 'id' });

    test('return the id of the message that was sent', async () => {
      const { client, answer, asked } = await world();
      answer(200, sent({ results: [{ recipient: alice.key, messageId: 'id' }] }));
      expect(await send(client)).toEqual({ status: 'success', messageId: 'id' });
      const [first] = asked as unknown as [{ body: { message: { body: string } } }];
      expect(Object.keys(JSON.parse(first.body.message.body) as object)).toEqual(['encryptedMessage']);
    });

    test.each([
      ['results of another message', sent({ results: [{ recipient: alice.key, messageId: 'other' }] })],
      ['two results', sent({ results: [{ recipient: alice.key, messageId: 'id' }, {}] })],
      ['an empty message', sent({ message: '' })],
      ['another status', sent({ status: 'sent' })],
      ['a response that is an array', [1]],
    ])('are refused by rule 4 for %s', async (_what, body) => {
      const { client, answer } = await world();
      answer(200, body);
      await expect(send(client)).rejects.toMatchObject({ rule: '4' });
    });

    test('can be refused with a code, and a refusal without a code breaks rule 9.18', async () => {
      const { client, answer } = await world();
      answer(403, { status: 'error', code: 'ERR_DELIVERY_BLOCKED' });
      await expect(send(client)).rejects.toBeInstanceOf(RequestRefusedError);
      await expect(send(client)).rejects.toMatchObject({ status: 403, code: 'ERR_DELIVERY_BLOCKED' });
      answer(400, { status: 'error', code: 'blocked' });
      await expect(send(client)).rejects.toMatchObject({ rule: '9.18' });
    });

    test('are not made when current clients would not make them', async () => {
      const { client, asked } = await world();
      const good = { recipient: alice.key, messageBox: 'chat', body: 'hello' };
      for (const wrong of [
        { recipient: alice.key.toUpperCase() },
        { messageBox: ' chat' },
        { messageBox: 'é'.repeat(65) },
        { messageId: 'x'.repeat(257) },
        { body: ' ' },
        { body: 'x'.repeat(4 * 1024 * 1024 + 1), skipEncryption: true },
      ]) {
        await expect(client.sendMessage({ ...good, ...wrong })).rejects.toThrow(TypeError);
      }
      await expect(client.acknowledgeMessage({ messageIds: Array<string>(1_001).fill('x') })).rejects.toThrow(
        TypeError,
      );
      await expect(client.setMessageBoxPermission({ messageBox: 'chat', recipientFee: 2 ** 31 })).rejects.toThrow(
        TypeError,
      );
      expect(asked).toEqual([]);
    });
  });
});
