import { isAcceptedEventName } from '@messagebox/brc103/socket-io';
import { documentedErrors } from '@messagebox/test-support/documented-errors';
import { RawClient, type RawSocket, type Received } from '@messagebox/test-support/raw-client';
import { LiveTestBed } from './live-world.ts';
import { createUniqueId, notExpiryTimes, SECRET } from './refusals.ts';
import { readLinesSince } from './server.ts';

/** Events of a proven identity whose content is wrong: answered, signed, and without effect. */
let live: LiveTestBed;
let socket: RawSocket;
let own: string;
beforeAll(async () => {
  live = await LiveTestBed.start({ LIVE_MAX_BODY: '100000' });
});
beforeEach(async () => {
  socket = await live.proven();
  own = live.http.sender.client.identityKey;
});
afterEach(() => live.closeSockets());
afterAll(() => live.close());

const DEEP = 120;
/** JSON that is almost too deep, for the payload of a frame. */
const deepJson = '['.repeat(DEEP) + ']'.repeat(DEEP);
const LONE = '\ud800';
const label = (value: unknown) => JSON.stringify(value)?.slice(0, 50) ?? 'nothing';
const table = (values: readonly unknown[]) => values.map((value) => [label(value), value] as const);
const notNames = [0, 7, true, {}, ' ', '\0', 'a\0', LONE, 'x'.repeat(257), '\u{1f600}'.repeat(256), 'x'.repeat(10_240)];

/** Sends an event with this JSON for its data, and expects one signed answer, one line, and no effect. */
async function refusedJson(eventName: string, json: string, answer: string): Promise<Received> {
  const { server } = live.http;
  const [mark, rows] = [server.log.length, await server.rows()];
  if (socket.session === undefined) throw new Error('no session');
  socket.send(socket.session.frame(Buffer.from(`{"eventName":${JSON.stringify(eventName)},"data":${json}}`)));
  const received = await socket.waitFor(answer);
  expect(received.signed).toBe(true);
  expect(received.data).toMatchObject({ reason: expect.stringMatching(/^\w[^<>]{5,200}$/) });
  const lines = readLinesSince(server, mark);
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatchObject({ level: 30 });
  live.http.expectNoSecrets(mark);
  expect(await server.rows()).toEqual(rows);
  return received;
}

const refused = (eventName: string, data: unknown, answer: string): Promise<Received> =>
  refusedJson(eventName, data === undefined ? 'null' : JSON.stringify(data), answer);

describe('authenticated', () => {
  test.each(
    table([
      null,
      7,
      true,
      'key',
      [],
      {},
      { identityKey: null },
      { identityKey: 7 },
      { identityKey: '' },
      { identityKey: 'self' },
      { identityKey: ['a'] },
      { identityKey: new RawClient().identityKey },
      { identityKey: 'f'.repeat(10_240) },
      JSON.parse('{"__proto__":{"identityKey":"a"}}'),
    ]),
  )('refuses %s', async (_label, data) => {
    await refused('authenticated', data, 'authenticationFailed');
    await live.expectAlive(socket);
  });

  test('refuses the own key in upper case, or in an array', async () => {
    await refused('authenticated', { identityKey: own.toUpperCase() }, 'authenticationFailed');
    await refused('authenticated', { identityKey: [own] }, 'authenticationFailed');
    await live.expectAlive(socket);
  });

  test('refuses deep JSON', async () => {
    await refusedJson('authenticated', deepJson, 'authenticationFailed');
    await refusedJson('authenticated', `{"identityKey":${deepJson}}`, 'authenticationFailed');
  });
});

describe.each([
  ['joinRoom', 'joinFailed', 'joinedRoom'],
  ['leaveRoom', 'leaveFailed', 'leftRoom'],
])('%s', (eventName, failure, success) => {
  test.each(
    table([
      null,
      7,
      true,
      [],
      {},
      '',
      '-',
      '--',
      '-inbox',
      'inbox',
      'self-inbox',
      'anyone-inbox',
      ' -inbox',
      'r'.repeat(10_240),
      '-'.repeat(10_240),
      LONE,
      `${new RawClient().identityKey}-inbox`,
      `${new RawClient().identityKey.toUpperCase()}-inbox`,
      `02${'ff'.repeat(32)}-inbox`,
      '../-inbox',
      '__proto__-inbox',
    ]),
  )('refuses %s', async (_label, data) => {
    const { data: answer } = await refused(eventName, data, failure);
    const { code } = answer as { code: string };
    expect(['ERR_WEBSOCKET_INVALID_ROOM', 'ERR_WEBSOCKET_ROOM_NOT_OWNED']).toContain(code);
    expect(documentedErrors.has(code)).toBe(true);
    const roomId = typeof data === 'string' && data.length < 2_049 ? data : undefined;
    expect((answer as { roomId?: string }).roomId).toBe(roomId);
    await live.expectAlive(socket);
  });

  test.each(table(notNames.filter((name) => typeof name === 'string')))('refuses a box of %s', async (_label, box) => {
    await refused(eventName, `${own}-${box}`, failure);
    await live.expectAlive(socket);
  });

  test.each(['', ' ', '_', '+inbox', ' -inbox', '\n-inbox'])('refuses the own key with %j', async (rest) => {
    await refused(eventName, `${own}${rest}`, failure);
  });

  test('refuses the own room in an array or an object', async () => {
    await refused(eventName, [live.room('inbox', own)], failure);
    await refused(eventName, { roomId: live.room('inbox', own) }, failure);
  });

  test('refuses deep JSON', async () => {
    await refusedJson(eventName, deepJson, failure);
  });

  test.each([
    ['177 letters', 'n'.repeat(177)],
    ['hyphens', '-a-b-'],
    ['white space at its end', 'inbox '],
    ['__proto__', '__proto__'],
  ])('accepts a box of %s', async (_name, box) => {
    const roomId = `${own}-${box}`;
    socket.event(eventName, roomId);
    expect(await socket.waitFor(success)).toEqual({ signed: true, name: success, data: { roomId } });
  });

  test('accepts the own key in upper case, and answers with the same spelling', async () => {
    const roomId = `${own.toUpperCase()}-inbox`;
    socket.event(eventName, roomId);
    expect(await socket.waitFor(success)).toEqual({ signed: true, name: success, data: { roomId } });
  });
});

describe('rooms whose events current clients cannot receive', () => {
  const unspeakable: [string, string][] = [
    ['178 letters', 'n'.repeat(178)],
    ['255 letters', 'n'.repeat(255)],
    ['255 code points of two units each', '\u{1f600}'.repeat(255)],
    ['a line break', 'a\nb'],
    ['a sign that turns the direction of text', 'a\u202eb'],
  ];

  test.each(unspeakable)('refuses to join a box of %s, and allows to leave it', async (_name, box) => {
    const { data } = await refused('joinRoom', `${own}-${box}`, 'joinFailed');
    expect(data).toMatchObject({ code: 'ERR_WEBSOCKET_INVALID_ROOM', roomId: `${own}-${box}` });
    socket.event('leaveRoom', `${own}-${box}`);
    await socket.waitFor('leftRoom');
    await live.expectAlive(socket);
  });

  test.each(unspeakable)('lists a message in a box of %s, and does not push it', async (_name, box) => {
    const listener = await live.proven(live.http.recipient.client);
    const messageId = createUniqueId();
    await live.http.expectAccepted(live.http.sendMessage(live.http.message({ messageId, messageBox: box })));
    expect(await live.http.list(box)).toMatchObject([{ messageId }]);
    await live.expectAlive(listener);
  });
});

describe('rooms', () => {
  test('a client that was refused a room receives none of its events', async () => {
    await refused('joinRoom', live.room(), 'joinFailed');
    const listener = await live.proven(live.http.recipient.client);
    listener.event('joinRoom', live.room());
    await listener.waitFor('joinedRoom');
    const messageId = createUniqueId();
    await live.http.expectAccepted(live.http.sendMessage(live.http.message({ messageId })));
    expect(await listener.waitFor(`sendMessage-${live.room()}`)).toMatchObject({ data: { messageId, body: SECRET } });
    await live.expectAlive(socket);
  });

  test('a room that was joined in upper case has the canonical event name, and is left in either spelling', async () => {
    const listener = await live.proven(live.http.recipient.client);
    const key = live.http.recipient.client.identityKey;
    listener.event('joinRoom', `${key.toUpperCase()}-case`);
    await listener.waitFor('joinedRoom');
    const messageId = createUniqueId();
    await live.http.expectAccepted(live.http.sendMessage(live.http.message({ messageId, messageBox: 'case' })));
    expect(await listener.waitFor(`sendMessage-${key}-case`)).toMatchObject({ data: { messageId } });
    listener.event('leaveRoom', `${key}-case`);
    await listener.waitFor('leftRoom');
    await live.http.expectAccepted(live.http.sendMessage(live.http.message({ messageBox: 'case' })));
    await live.expectAlive(listener);
  });
});

describe('sendMessage', () => {
  const message = (over: Record<string, unknown> = {}) => ({
    messageId: createUniqueId(),
    recipient: live.http.recipient.client.identityKey,
    body: SECRET,
    ...over,
  });

  /** What a refusal for size says besides. */
  function pickSizes(refusal: unknown): object {
    const { field, limit, size } = refusal as { field?: unknown; limit?: unknown; size?: unknown };
    return {
      ...(typeof field === 'string' && typeof limit === 'number' ? { field, limit } : {}),
      ...(typeof size === 'number' ? { size } : {}),
    };
  }

  /** Refused with this code, both ways of saying so carry the id. */
  async function refusedSend(data: unknown, code: string, raw?: string, about = 'messageFailed'): Promise<void> {
    const { roomId, message: sent } = data as { roomId?: unknown; message?: { messageId?: unknown } };
    const { data: failed } = await refusedJson('sendMessage', raw ?? JSON.stringify(data), about);
    const echo = typeof sent?.messageId === 'string' && sent.messageId.length <= 2_048 ? sent.messageId : undefined;
    const description = (failed as { reason: string }).reason;
    const errors = { code, ...(echo === undefined ? {} : { messageId: echo }), ...pickSizes(failed) };
    expect(failed).toEqual({ reason: description, ...errors });
    expect(documentedErrors.has(code)).toBe(true);
    // Clients would not hear an ack under any other name, and close on one that they can't take.
    if (typeof roomId === 'string' && isAcceptedEventName(`sendMessageAck-${roomId}`)) {
      const ack = await socket.waitFor(`sendMessageAck-${roomId}`);
      expect(ack).toMatchObject({ signed: true, data: { status: 'error', description, ...errors } });
      expect(ack.data).toEqual({ status: 'error', description, ...errors });
    }
    await live.expectAlive(socket);
  }

  test.each(table([null, 7, true, 'text', [], {}, [{}], { message: null }, { roomId: null }]))(
    'refuses %s',
    async (_label, data) => {
      await refused('sendMessage', data, 'messageFailed');
      await live.expectAlive(socket);
    },
  );

  test.each(table([undefined, null, 7, true, '', 'text', [], [{}]]))(
    'refuses the message %s',
    async (_label, value) => {
      await refusedSend({ roomId: live.room(), message: value }, 'ERR_MESSAGE_REQUIRED');
    },
  );

  test.each(table([undefined, null, 7, true, {}, [], '', '-', '-inbox', 'inbox', 'r'.repeat(10_240)]))(
    'refuses the roomId %s',
    async (_label, roomId) => {
      await refusedSend({ roomId, message: message() }, 'ERR_INVALID_MESSAGEBOX');
    },
  );

  test.each(table(notNames.filter((name) => typeof name === 'string').concat('')))(
    'refuses the box %s',
    async (_label, box) => {
      await refusedSend({ roomId: live.room(String(box)), message: message() }, 'ERR_INVALID_MESSAGEBOX');
    },
  );

  test.each(
    table(['self', 'anyone', 'nobody', `02${'ff'.repeat(32)}`, `04${'11'.repeat(64)}`, '__proto__', '0'.repeat(2_000)]),
  )('refuses a room of %s', async (_label, key) => {
    await refusedSend(
      { roomId: `${key}-inbox`, message: message({ recipient: undefined }) },
      'ERR_INVALID_RECIPIENT_KEY',
    );
    await refusedSend({ roomId: `${key}-inbox`, message: message({ recipient: key }) }, 'ERR_INVALID_RECIPIENT_KEY');
  });

  test.each(
    table([
      7,
      true,
      {},
      [],
      '',
      'self',
      new RawClient().identityKey,
      [new RawClient().identityKey],
      'k'.repeat(10_240),
    ]),
  )('refuses a recipient other than that of the room: %s', async (_label, recipient) => {
    await refusedSend({ roomId: live.room(), message: message({ recipient }) }, 'ERR_INVALID_RECIPIENT_KEY');
  });

  test('ignores recipients other than that of the room', async () => {
    const other = await new RawClient().shakeHands(live.http.server.port);
    const sent = message({ recipients: [other.client.identityKey], messageBox: 'elsewhere' });
    socket.event('sendMessage', { roomId: live.room('beside'), message: sent });
    expect(await socket.waitFor(`sendMessageAck-${live.room('beside')}`)).toMatchObject({
      data: { status: 'success' },
    });
    expect(await live.http.list('beside')).toMatchObject([{ messageId: sent.messageId }]);
    for (const box of ['beside', 'elsewhere', 'inbox']) expect(await live.http.list(box, other)).toEqual([]);
    expect(await live.http.list('elsewhere')).toEqual([]);
  });

  test('ignores a sender in the message', async () => {
    const sent = message({ sender: new RawClient().identityKey });
    socket.event('sendMessage', { roomId: live.room('sender'), message: sent, sender: new RawClient().identityKey });
    await socket.waitFor(`sendMessageAck-${live.room('sender')}`);
    expect(await live.http.list('sender')).toMatchObject([{ sender: own }]);
  });

  test.each([
    ...table([undefined, null, []]).map((row) => [...row, 'ERR_MESSAGEID_REQUIRED'] as const),
    ...table(['', ...notNames]).map((row) => [...row, 'ERR_INVALID_MESSAGEID'] as const),
    ...table([[7], [' ']]).map((row) => [...row, 'ERR_INVALID_MESSAGEID'] as const),
    ...table([['a', 'b']]).map((row) => [...row, 'ERR_MESSAGEID_COUNT_MISMATCH'] as const),
  ])('refuses the messageId %s', async (_label, messageId, code) => {
    await refusedSend({ roomId: live.room(), message: message({ messageId }) }, code);
  });

  test.each(table([undefined, null, '', ' ', 7, true, LONE, { [LONE]: 1 }, [LONE]]))(
    'refuses the body %s',
    async (_label, body) => {
      await refusedSend({ roomId: live.room(), message: message({ body }) }, 'ERR_INVALID_MESSAGE_BODY');
    },
  );

  test.each(table(notExpiryTimes()))('refuses the expiresAt %s', async (_label, expiresAt) => {
    await refusedSend({ roomId: live.room(), message: message({ expiresAt }) }, 'ERR_INVALID_EXPIRES_AT');
  });

  test.each(table([0, 1, '', 'false', [], {}, LONE]))('refuses urgent: %s', async (_label, urgent) => {
    await refusedSend({ roomId: live.room(), message: message({ urgent }) }, 'ERR_INVALID_URGENT');
  });

  test('accepts a message that expires, and lists it with its time', async () => {
    const expiresAt = new Date(Math.ceil(Date.now() / 1_000) * 1_000 + 60_000).toISOString();
    const sent = message({ expiresAt });
    socket.event('sendMessage', { roomId: live.room('expiring'), message: sent });
    const ack = await socket.waitFor(`sendMessageAck-${live.room('expiring')}`);
    expect(ack).toMatchObject({ data: { status: 'success', messageId: sent.messageId } });
    expect(await live.http.list('expiring')).toMatchObject([{ messageId: sent.messageId, expiresAt }]);
  });

  test.each(['roomId', 'message', 'messageId', 'recipient'])('refuses deep JSON as %s', async (name) => {
    const sent = { roomId: live.room(), message: message() };
    const isInner = !['roomId', 'message'].includes(name);
    const data = isInner ? { ...sent, message: { ...sent.message, [name]: '@' } } : { ...sent, [name]: '@' };
    const json = JSON.stringify(data).replace('"@"', deepJson);
    const codes: Record<string, string> = {
      roomId: 'ERR_INVALID_MESSAGEBOX',
      message: 'ERR_MESSAGE_REQUIRED',
      messageId: 'ERR_MESSAGEID_COUNT_MISMATCH',
      recipient: 'ERR_INVALID_RECIPIENT_KEY',
    };
    const shown =
      name === 'messageId'
        ? { ...data, message: {} }
        : name === 'roomId'
          ? { message: data.message }
          : name === 'message'
            ? { roomId: data.roomId }
            : data;
    const isOneDeep = name === 'messageId' ? 'ERR_INVALID_MESSAGEID' : codes[name];
    await refusedSend(shown, isOneDeep ?? '', json);
  });

  test('ignores fields of the prototype', async () => {
    const json = `{"roomId":"${live.room()}","message":{"__proto__":${JSON.stringify(message())}}}`;
    await refusedSend({ roomId: live.room(), message: {} }, 'ERR_INVALID_MESSAGE_BODY', json);
  });

  test.each(table([{}, { tx: [] }, 'money', 0, false, '']))('refuses the payment %s', async (_label, payment) => {
    const hasTx = typeof payment === 'object';
    const code = hasTx && Object.keys(payment as object).length > 0 ? 'ERR_INVALID_PAYMENT' : 'ERR_MISSING_PAYMENT_TX';
    for (const sent of [
      { roomId: live.room(), message: message(), payment },
      { roomId: live.room(), message: message({ payment }) },
    ]) {
      await refusedSend(sent, code, undefined, 'paymentFailed');
    }
  });

  test.each<[string, (bytes: number) => unknown]>([
    ['a text', (bytes) => SECRET.padEnd(bytes, 'b')],
    ['a text of two bytes each', (bytes) => `${SECRET} `.padEnd(bytes / 2 + 8, '\u00e9')],
    ['an object', (bytes) => ({ text: SECRET.padEnd(bytes, 'b') })],
    ['an array', (bytes) => [SECRET.padEnd(bytes, 'b')]],
  ])('a body above the bound: %s', async (_name, body) => {
    await refusedSend({ roomId: live.room(), message: message({ body: body(100_001) }) }, 'ERR_MESSAGE_TOO_LARGE');
  });

  test('accepts and pushes a body of the maximum size', async () => {
    const listener = await live.proven(live.http.recipient.client);
    listener.event('joinRoom', live.room('bound'));
    await listener.waitFor('joinedRoom');
    const sent = message({ body: 'b'.repeat(100_000) });
    socket.event('sendMessage', { roomId: live.room('bound'), message: sent });
    expect(await socket.waitFor(`sendMessageAck-${live.room('bound')}`)).toMatchObject({ data: { status: 'success' } });
    expect(await listener.waitFor(`sendMessage-${live.room('bound')}`)).toMatchObject({ data: { body: sent.body } });
  });

  test('a room in upper case is the same room, and its ack has the spelling of the request', async () => {
    const key = live.http.recipient.client.identityKey;
    const roomId = `${key.toUpperCase()}-upper`;
    const listener = await live.proven(live.http.recipient.client);
    listener.event('joinRoom', `${key}-upper`);
    await listener.waitFor('joinedRoom');
    const sent = message();
    socket.event('sendMessage', { roomId, message: sent });
    expect(await socket.waitFor(`sendMessageAck-${roomId}`)).toEqual({
      signed: true,
      name: `sendMessageAck-${roomId}`,
      data: { status: 'success', messageId: sent.messageId },
    });
    expect(await listener.waitFor(`sendMessage-${key}-upper`)).toMatchObject({ data: { messageId: sent.messageId } });
    expect(await live.http.list('upper')).toHaveLength(1);
  });

  test('refuses an id that another sender has used', async () => {
    const messageId = createUniqueId();
    const other = await new RawClient().shakeHands(live.http.server.port);
    await live.http.expectAccepted(other.post('/sendMessage', live.http.message({ messageId })), other);
    await refusedSend({ roomId: live.room(), message: message({ messageId }) }, 'ERR_DUPLICATE_MESSAGE');
  });
});

test('at the end the server works, and nothing is left behind', () => live.expectNoTrouble());
