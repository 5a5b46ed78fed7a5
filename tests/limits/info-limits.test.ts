import { type Answer, RawClient, type Session } from '@messagebox/test-support/raw-client';
import { LiveTestBed } from '../bad-input/live-world.ts';
import { createUniqueId, type HttpTestBed } from '../bad-input/refusals.ts';

/**
 * Each limit that `GET /info` shows is the one that is enforced: what is as large as it is taken, and one more is refused
 * with the limit in the answer. The server's limits are none of the defaults.
 */
interface Limits {
  readonly requestBodyBytes: number;
  readonly otherRequestBodyBytes: number;
  readonly listedBodyBytes: number;
  readonly copiedBodyBytes: number;
  readonly liveBodyBytes: number;
  readonly liveEventBytes: number;
  readonly recipients: number;
  readonly acknowledgedIds: number;
  readonly messageIdCharacters: number;
  readonly messageIdBytes: number;
  readonly boxNameCharacters: number;
  readonly listPage: { readonly messages: number; readonly bytes: number };
  readonly listAnswer: { readonly messages: number; readonly bytes: number };
  readonly permissions: number;
  readonly devices: number;
  readonly quotas: Readonly<Record<'inbox' | 'sender' | 'pair', { messages: number | null; bytes: number | null }>>;
  readonly retentionDays: number | null;
  readonly expiryYears: number;
}

let live: LiveTestBed;
let world: HttpTestBed;
let limits: Limits;
beforeAll(async () => {
  live = await LiveTestBed.start({
    MAX_BODY_BYTES: '3000000',
    LIVE_MAX_BODY: '20000',
    LIST_MAX_BYTES: '50000',
    MAX_RECIPIENTS: '70',
    MAX_ACKNOWLEDGED_IDS: '30',
    MAX_PERMISSIONS_PER_IDENTITY: '3',
    MAX_DEVICES_PER_IDENTITY: '2',
    INBOX_MAX_MESSAGES: '12',
    INBOX_MAX_BYTES: '0',
    SENDER_MAX_MESSAGES: '80',
    SENDER_MAX_BYTES: '0',
    PAIR_MAX_MESSAGES: '6',
    PAIR_MAX_BYTES: '4000000',
    RETENTION_DAYS: '30',
  });
  world = live.http;
  const answer = await world.send({ method: 'GET', path: '/info', headers: [] });
  ({ limits } = JSON.parse(answer.text) as { limits: Limits });
});
afterEach(() => live.closeSockets());
afterAll(() => world.close());

const newcomer = (): Promise<Session> => new RawClient().shakeHands(world.server.port);
const stranger = () => new RawClient().identityKey;
const message = (recipient: unknown, over: object = {}) => ({
  message: { recipient, messageBox: 'inbox', messageId: createUniqueId(), body: 'hello', ...over },
});
type Body = Readonly<Record<string, unknown>>;
const bodyOf = (answer: Answer): Body & { status: string } => JSON.parse(answer.text) as Body & { status: string };
const post = (by: Session, path: string, body: object | string) => world.send(by.post(path, body));
const taken = async (by: Session, path: string, body: object | string): Promise<Body> => {
  const answer = await post(by, path, body);
  const { messages: _messages, ...said } = bodyOf(answer);
  expect(said).toMatchObject({ status: 'success' });
  return bodyOf(answer);
};
/** Nothing was stored, and the answer says what is allowed. */
const refused = async (by: Session, path: string, body: object | string, expected: Body): Promise<void> => {
  const rows = await world.server.rows();
  const answer = await post(by, path, body);
  expect(bodyOf(answer)).toMatchObject({ status: 'error', ...expected });
  if (typeof expected['limit'] === 'number') {
    expect(String(bodyOf(answer)['description']).replaceAll(',', '')).toContain(String(expected['limit']));
  }
  expect(await world.server.rows()).toEqual(rows);
};
const times = <T>(count: number, make: (i: number) => T): T[] => Array.from({ length: count }, (_, i) => make(i));
const batch = (count: number, over: object = {}) =>
  message(times(count, stranger), { messageId: times(count, createUniqueId), ...over });

/** A send whose request has exactly so many bytes. */
function sized(bytes: number): string {
  const empty = JSON.stringify(message(stranger(), { body: '' }));
  return empty.replace('"body":""', `"body":"${'x'.repeat(bytes - empty.length)}"`);
}

test('shows what is configured', () => {
  expect(limits).toMatchObject({
    requestBodyBytes: 3_000_000,
    otherRequestBodyBytes: 2_097_152,
    liveBodyBytes: 20_000,
    listPage: { messages: 1_000, bytes: 50_000 },
    listAnswer: { messages: 10_000, bytes: 50_000 },
    quotas: {
      inbox: { messages: 12, bytes: null },
      sender: { messages: 80, bytes: null },
      pair: { messages: 6, bytes: 4_000_000 },
    },
    retentionDays: 30,
    expiryYears: 1,
  });
});

test('the body of a send, and of any other request', async () => {
  const alice = await newcomer();
  const { requestBodyBytes, otherRequestBodyBytes } = limits;
  await taken(alice, '/sendMessage', sized(requestBodyBytes));
  await refused(alice, '/sendMessage', sized(requestBodyBytes + 1), {
    code: 'ERR_BODY_TOO_LARGE',
    field: 'requestBody',
    limit: requestBodyBytes,
    size: requestBodyBytes + 1,
    description: 'The request body has 3,000,001 bytes; the limit is 3,000,000 (MAX_BODY_BYTES).',
  });
  const list = (bytes: number) => {
    const start = JSON.stringify({ messageBox: 'inbox', padding: '' });
    return start.replace('""', `"${'x'.repeat(bytes - start.length)}"`);
  };
  await taken(alice, '/listMessages', list(otherRequestBodyBytes));
  await refused(alice, '/listMessages', list(otherRequestBodyBytes + 1), {
    code: 'ERR_BODY_TOO_LARGE',
    field: 'requestBody',
    limit: otherRequestBodyBytes,
    size: otherRequestBodyBytes + 1,
  });
});

test('a body in chunks, whose size nobody knows before', async () => {
  const alice = await newcomer();
  const text = sized(limits.requestBodyBytes + 1);
  const request = alice.post('/sendMessage', text);
  const headers = request.headers.filter(([name]) => name.toLowerCase() !== 'content-length');
  const chunk = Buffer.concat([
    Buffer.from(`${text.length.toString(16)}\r\n`),
    Buffer.from(text),
    Buffer.from('\r\n0\r\n\r\n'),
  ]);
  const answer = await world.send({ ...request, headers: [...headers, ['Transfer-Encoding', 'chunked']], body: chunk });
  expect(bodyOf(answer)).toEqual({
    status: 'error',
    code: 'ERR_BODY_TOO_LARGE',
    description: 'The request body is larger than the limit, which is 3,000,000 (MAX_BODY_BYTES).',
    field: 'requestBody',
    limit: limits.requestBodyBytes,
  });
});

test('recipients of a send and of a quote', async () => {
  const alice = await newcomer();
  const { recipients: limit } = limits;
  await taken(alice, '/sendMessage', batch(limit));
  await refused(alice, '/sendMessage', batch(limit + 1), {
    code: 'ERR_TOO_MANY_RECIPIENTS',
    field: 'message.recipients',
    limit,
    size: limit + 1,
  });
  const quote = async (count: number) => {
    const path = `/permissions/quote?messageBox=inbox&${times(count, () => `recipient=${stranger()}`).join('&')}`;
    return bodyOf(await world.send(alice.sign({ method: 'GET', path })));
  };
  expect(await quote(limit)).toMatchObject({ status: 'success' });
  expect(await quote(limit + 1)).toMatchObject({ code: 'ERR_TOO_MANY_RECIPIENTS', field: 'recipient', limit });
});

test('a body times its recipients', async () => {
  const alice = await newcomer();
  const { copiedBodyBytes: limit } = limits;
  const each = Math.floor(limit / 32);
  await refused(alice, '/sendMessage', batch(33, { body: 'x'.repeat(each) }), {
    code: 'ERR_MESSAGE_TOO_LARGE',
    field: 'message.body',
    limit,
    size: 33 * each,
  });
});

test('ids and names of boxes', async () => {
  const alice = await newcomer();
  const { messageIdCharacters, messageIdBytes, boxNameCharacters } = limits;
  const characters = (count: number) => '箱'.repeat(count);
  await taken(alice, '/sendMessage', message(stranger(), { messageId: characters(messageIdCharacters) }));
  await taken(alice, '/sendMessage', message(stranger(), { messageId: 'x'.repeat(messageIdBytes) }));
  for (const messageId of [characters(messageIdCharacters + 1), 'x'.repeat(messageIdBytes + 1)]) {
    const expected = { code: 'ERR_INVALID_MESSAGEID', field: 'message.messageId', limit: messageIdCharacters };
    await refused(alice, '/sendMessage', message(stranger(), { messageId }), expected);
  }
  await taken(alice, '/sendMessage', message(stranger(), { messageBox: characters(boxNameCharacters) }));
  const messageBox = characters(boxNameCharacters + 1);
  const tooLong = { field: 'messageBox', limit: boxNameCharacters };
  await refused(alice, '/sendMessage', message(stranger(), { messageBox }), {
    code: 'ERR_INVALID_MESSAGEBOX',
    ...tooLong,
  });
  await refused(alice, '/listMessages', { messageBox }, { code: 'ERR_INVALID_MESSAGEBOX', ...tooLong });
  const permission = { messageBox, recipientFee: 0 };
  await refused(alice, '/permissions/set', permission, { code: 'ERR_INVALID_MESSAGE_BOX', ...tooLong });
});

test('acknowledged ids, and messages of a page', async () => {
  const alice = await newcomer();
  const { acknowledgedIds: limit, listPage, listAnswer } = limits;
  await refused(
    alice,
    '/acknowledgeMessage',
    { messageIds: times(limit, createUniqueId) },
    { code: 'ERR_INVALID_ACKNOWLEDGMENT' },
  );
  await refused(
    alice,
    '/acknowledgeMessage',
    { messageIds: times(limit + 1, createUniqueId) },
    {
      code: 'ERR_TOO_MANY_MESSAGE_IDS',
      field: 'messageIds',
      limit,
      size: limit + 1,
    },
  );
  for (const [paging, most] of [
    [{ offset: 0 }, listPage.messages],
    [{}, listAnswer.messages],
  ] as const) {
    await taken(alice, '/listMessages', { messageBox: 'inbox', ...paging, limit: most });
    const more = { messageBox: 'inbox', ...paging, limit: most + 1 };
    await refused(alice, '/listMessages', more, { code: 'ERR_INVALID_LIMIT', field: 'limit', limit: most });
  }
});

test('bytes of a page: as many messages as fit', async () => {
  const [alice, bob] = [await newcomer(), await newcomer()];
  const body = 'x'.repeat(15_000);
  for (let i = 0; i < 4; i++) await taken(alice, '/sendMessage', message(bob.client.identityKey, { body }));
  for (const [paging, bytes] of [
    [{ offset: 0 }, limits.listPage.bytes],
    [{}, limits.listAnswer.bytes],
  ] as const) {
    const page = await taken(bob, '/listMessages', { messageBox: 'inbox', ...paging });
    const size = (page['messages'] as object[]).reduce((sum, one) => sum + JSON.stringify(one).length, 0);
    expect(page).toMatchObject({ hasMore: true, messages: [{}, {}, {}] });
    expect(size).toBeLessThanOrEqual(bytes);
    expect(size + size / 3).toBeGreaterThan(bytes);
  }
});

test('permissions, and devices, of which one leaves', async () => {
  const alice = await newcomer();
  const set = (i: number) => ({ messageBox: `box ${i}`, recipientFee: 0 });
  for (let i = 0; i < limits.permissions; i++) await taken(alice, '/permissions/set', set(i));
  await refused(alice, '/permissions/set', set(limits.permissions), {
    code: 'ERR_TOO_MANY_PERMISSIONS',
    limit: limits.permissions,
  });
  for (let i = 0; i <= limits.devices; i++) await taken(alice, '/registerDevice', { fcmToken: `token-${i}` });
  const listed = bodyOf(await world.send(alice.sign({ method: 'GET', path: '/devices' })));
  expect(listed['devices']).toHaveLength(limits.devices);
});

test('quotas of a recipient, a sender and a pair', async () => {
  const [alice, bob] = [await newcomer(), stranger()];
  const { inbox, sender, pair } = limits.quotas;
  const inboxMessages = inbox.messages as number;
  const pairMessages = pair.messages as number;
  for (let i = 0; i < pairMessages; i++) await taken(alice, '/sendMessage', message(bob));
  await refused(alice, '/sendMessage', message(bob), {
    code: 'ERR_SENDER_QUOTA_EXCEEDED',
    resource: 'messages',
    limit: pairMessages,
  });
  for (let i = pairMessages; i < inboxMessages; i++) await taken(await newcomer(), '/sendMessage', message(bob));
  await refused(await newcomer(), '/sendMessage', message(bob), {
    code: 'ERR_INBOX_QUOTA_EXCEEDED',
    resource: 'messages',
    limit: inboxMessages,
  });
  const half = Math.ceil((pair.bytes as number) / 2);
  const [carol, dave] = [await newcomer(), stranger()];
  await taken(carol, '/sendMessage', message(dave, { body: 'x'.repeat(half) }));
  await refused(carol, '/sendMessage', message(dave, { body: 'x'.repeat(half + 1) }), {
    code: 'ERR_SENDER_QUOTA_EXCEEDED',
    resource: 'bytes',
    limit: pair.bytes,
  });
  const erin = await newcomer();
  const all = sender.messages as number;
  await taken(erin, '/sendMessage', batch(limits.recipients));
  await taken(erin, '/sendMessage', batch(all - limits.recipients));
  await refused(erin, '/sendMessage', message(stranger()), {
    code: 'ERR_SENDER_QUOTA_EXCEEDED',
    resource: 'messages',
    limit: all,
  });
});

test('how far ahead a message may expire', async () => {
  const alice = await newcomer();
  const ahead = new Date();
  ahead.setUTCFullYear(ahead.getUTCFullYear() + limits.expiryYears);
  const minute = 60_000;
  const at = (offset: number) => ({ expiresAt: new Date(ahead.getTime() + offset).toISOString() });
  await taken(alice, '/sendMessage', message(stranger(), at(-minute)));
  await refused(alice, '/sendMessage', message(stranger(), at(minute)), { code: 'ERR_INVALID_EXPIRES_AT' });
});

test('a live body', async () => {
  const socket = await live.proven(new RawClient());
  const { liveBodyBytes: limit } = limits;
  const send = async (bytes: number) => {
    const roomId = `${stranger()}-inbox`;
    socket.event('sendMessage', { roomId, message: { messageId: createUniqueId(), body: 'x'.repeat(bytes) } });
    return (await socket.waitFor(`sendMessageAck-${roomId}`)).data;
  };
  expect(await send(limit)).toMatchObject({ status: 'success' });
  const rows = await world.server.rows();
  const refusal = { code: 'ERR_MESSAGE_TOO_LARGE', field: 'message.body', limit, size: limit + 1 };
  expect(await send(limit + 1)).toMatchObject({ status: 'error', ...refusal });
  expect((await socket.waitFor('messageFailed')).data).toMatchObject({
    ...refusal,
    reason: 'The body has 20,001 bytes; the limit of a live message is 20,000 (LIVE_MAX_BODY). Send it over HTTP.',
  });
  expect(await world.server.rows()).toEqual(rows);
});
