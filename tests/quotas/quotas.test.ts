import { documentedErrors } from '@messagebox/test-support/documented-errors';
import { RawClient, type RawSocket, type Session } from '@messagebox/test-support/raw-client';
import { LiveTestBed } from '../bad-input/live-world.ts';
import type { HttpTestBed } from '../bad-input/refusals.ts';
import { readLinesSince } from '../bad-input/server.ts';

/** Over HTTP and live, on a server whose quotas are small. */
const LIMITS = { inbox: 4, sender: 6, pair: 2, bytes: 2_000 };

let live: LiveTestBed;
let world: HttpTestBed;

beforeAll(async () => {
  live = await LiveTestBed.start({
    INBOX_MAX_MESSAGES: String(LIMITS.inbox),
    INBOX_MAX_BYTES: String(LIMITS.bytes),
    SENDER_MAX_MESSAGES: String(LIMITS.sender),
    PAIR_MAX_MESSAGES: String(LIMITS.pair),
  });
  world = live.http;
});
afterEach(() => live.closeSockets());
afterAll(() => world.close());

const newcomer = (): Promise<Session> => new RawClient().shakeHands(world.server.port);
let ids = 0;
const message = (recipient: string, over: object = {}) => ({
  message: { recipient, messageBox: 'inbox', messageId: `quota ${++ids}`, body: 'hello', ...over },
});
type Answered = Readonly<Record<string, unknown>>;
const keyOf = ({ client }: Session) => client.identityKey;

interface Answer {
  readonly status: number;
  readonly body: Answered;
  readonly retryAfter: string | undefined;
}

async function post(by: Session, path: string, body: object): Promise<Answer> {
  const request = by.post(path, body);
  const answer = await world.send(request);
  expect(by.isSigned(request, answer)).toBe(true);
  const retryAfter = answer.headers['retry-after'];
  return { status: answer.status, body: JSON.parse(answer.text) as Answered, retryAfter };
}
const send = (by: Session, recipient: string, over: object = {}) => post(by, '/sendMessage', message(recipient, over));

/** Nothing was stored, one line tells of it, and the code is documented with this status. */
async function refused(by: Session, body: object): Promise<object> {
  const [mark, rows] = [world.server.log.length, await world.server.rows()];
  const answer = await post(by, '/sendMessage', body);
  const { status, code, description, ...details } = answer.body;
  expect([answer.status, status, answer.retryAfter]).toEqual([429, 'error', '60']);
  expect(documentedErrors.get(String(code))).toEqual([429]);
  expect(description).toMatch(/^\w[^<>]{5,200}$/);
  expect(readLinesSince(world.server, mark)).toMatchObject([{ code, status: 429, msg: 'request refused' }]);
  expect(await world.server.rows()).toEqual(rows);
  return { code, ...details };
}

async function fill(recipient: Session, count: number): Promise<void> {
  for (let n = 0; n < count; n++) expect((await send(await newcomer(), keyOf(recipient))).status).toBe(200);
}

const inboxFull = (recipient: Session) => ({
  code: 'ERR_INBOX_QUOTA_EXCEEDED',
  resource: 'messages',
  limit: LIMITS.inbox,
  recipient: keyOf(recipient),
});

describe('over HTTP', () => {
  test('a full inbox refuses new messages until something is acknowledged', async () => {
    const [alice, bob] = [await newcomer(), await newcomer()];
    await fill(bob, LIMITS.inbox);
    expect(await refused(alice, message(keyOf(bob)))).toEqual(inboxFull(bob));
    const [listed] = await world.list('inbox', bob);
    await post(bob, '/acknowledgeMessage', { messageIds: [listed?.messageId] });
    expect((await send(alice, keyOf(bob))).status).toBe(200);
    expect(await world.list('inbox', bob)).toHaveLength(LIMITS.inbox);
  });

  test('bytes are limited like messages', async () => {
    const [alice, bob] = [await newcomer(), await newcomer()];
    expect((await send(alice, keyOf(bob), { body: 'x'.repeat(1_500) })).status).toBe(200);
    expect(await refused(alice, message(keyOf(bob), { body: 'x'.repeat(501) }))).toEqual({
      ...inboxFull(bob),
      resource: 'bytes',
      limit: LIMITS.bytes,
    });
    expect((await send(alice, keyOf(bob), { body: 'x'.repeat(500) })).status).toBe(200);
  });

  test('refuses a sender who has stored too much for all recipients together', async () => {
    const alice = await newcomer();
    for (let n = 0; n < LIMITS.sender; n++) expect((await send(alice, keyOf(await newcomer()))).status).toBe(200);
    expect(await refused(alice, message(keyOf(await newcomer())))).toEqual({
      code: 'ERR_SENDER_QUOTA_EXCEEDED',
      resource: 'messages',
      limit: LIMITS.sender,
    });
  });

  test('a sender has a share of an inbox, unless the owner allows that sender by name or is the sender', async () => {
    const [alice, bob] = [await newcomer(), await newcomer()];
    const pairFull = {
      code: 'ERR_SENDER_QUOTA_EXCEEDED',
      resource: 'messages',
      limit: LIMITS.pair,
      recipient: keyOf(bob),
    };
    for (let n = 0; n < LIMITS.pair; n++) expect((await send(alice, keyOf(bob))).status).toBe(200);
    expect(await refused(alice, message(keyOf(bob)))).toEqual(pairFull);
    await post(bob, '/permissions/set', { messageBox: 'inbox', recipientFee: 0 });
    expect(await refused(alice, message(keyOf(bob)))).toEqual(pairFull);
    await post(bob, '/permissions/set', { messageBox: 'inbox', sender: keyOf(alice), recipientFee: 0 });
    expect((await send(alice, keyOf(bob))).status).toBe(200);
    for (let n = 0; n <= LIMITS.pair; n++) expect((await send(alice, keyOf(alice))).status).toBe(200);
  });

  test('refuses a whole batch, and names the recipient whose inbox is full', async () => {
    const [alice, bob, carol] = [await newcomer(), await newcomer(), await newcomer()];
    await fill(carol, LIMITS.inbox);
    const batch = { recipient: [keyOf(bob), keyOf(carol)], messageId: ['batch 1', 'batch 2'] };
    expect(await refused(alice, message('', batch))).toEqual(inboxFull(carol));
    expect(await world.list('inbox', bob)).toEqual([]);
  });

  test('a message that is stored already succeeds when it is sent again, alone or beside a new one', async () => {
    const [alice, bob, carol] = [await newcomer(), await newcomer(), await newcomer()];
    const old = message(keyOf(bob));
    expect((await post(alice, '/sendMessage', old)).status).toBe(200);
    await fill(bob, LIMITS.inbox - 1);
    expect(await refused(alice, message(keyOf(bob)))).toEqual(inboxFull(bob));
    expect((await post(alice, '/sendMessage', old)).status).toBe(200);
    const both = { recipient: [keyOf(bob), keyOf(carol)], messageId: [old.message.messageId, 'new'] };
    expect((await send(alice, '', both)).status).toBe(200);
    expect(await world.list('inbox', bob)).toHaveLength(LIMITS.inbox);
    expect(await world.list('inbox', carol)).toHaveLength(1);
  });

  test('reports an id that is taken as taken, also when the inbox is full', async () => {
    const [alice, bob] = [await newcomer(), await newcomer()];
    await fill(bob, LIMITS.inbox);
    const [listed] = await world.list('inbox', bob);
    const answer = await send(alice, keyOf(bob), { messageId: listed?.messageId });
    expect(answer).toMatchObject({ status: 400, body: { code: 'ERR_DUPLICATE_MESSAGE' } });
  });

  test("a refusal leaves the payment's transaction and the balance untouched", async () => {
    const [alice, bob] = [await newcomer(), await newcomer()];
    await fill(bob, LIMITS.inbox);
    const payment = { tx: [1, 2, 3], outputs: [], description: 'a payment' };
    expect(await refused(alice, { ...message(keyOf(bob)), payment })).toEqual(inboxFull(bob));
  });

  test('twenty sends at once fill an inbox exactly to its limit', async () => {
    const bob = await newcomer();
    const senders = await Promise.all(Array.from({ length: 20 }, newcomer));
    const answers = await Promise.all(senders.map((one) => send(one, keyOf(bob))));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(LIMITS.inbox);
    for (const { status } of answers) expect([200, 429]).toContain(status);
    expect(await world.list('inbox', bob)).toHaveLength(LIMITS.inbox);
  });

  test('refusals are counted by quota and resource', async () => {
    const metrics = await world.server.metrics();
    const counted = [...metrics.matchAll(/^messagebox_quota_refusals_total\{([^}]*)\} [1-9]/gm)].map(
      ([, labels]) => labels,
    );
    for (const kind of [
      'quota="inbox",resource="messages"',
      'quota="inbox",resource="bytes"',
      'quota="sender"',
      'quota="pair"',
    ]) {
      expect(counted.filter((labels) => labels?.includes(kind))).toHaveLength(1);
    }
  });
});

describe('live', () => {
  const sendLive = (socket: RawSocket, roomId: string, messageId: string) =>
    socket.event('sendMessage', { roomId, message: { messageId, recipient: roomId.split('-')[0], body: 'hello' } });

  test('refuses a send to a full inbox by event and ack with the same details, and keeps the socket open', async () => {
    const [bob, carol] = [await newcomer(), await newcomer()];
    await fill(bob, LIMITS.inbox);
    const socket = await live.proven(new RawClient());
    const [full, free] = [`${keyOf(bob)}-inbox`, `${keyOf(carol)}-inbox`];
    const rows = await world.server.rows();
    sendLive(socket, full, 'no room');
    const told = { ...inboxFull(bob), messageId: 'no room' };
    const failed = await socket.waitFor('messageFailed');
    expect(failed).toEqual({
      signed: true,
      name: 'messageFailed',
      data: { ...told, reason: expect.stringMatching(/^\w[^<>]{5,200}$/) },
    });
    expect((await socket.waitFor(`sendMessageAck-${full}`)).data).toEqual({
      ...told,
      status: 'error',
      description: expect.stringMatching(/^\w[^<>]{5,200}$/),
    });
    expect(await world.server.rows()).toEqual(rows);
    sendLive(socket, free, 'room');
    expect((await socket.waitFor(`sendMessageAck-${free}`)).data).toMatchObject({
      status: 'success',
      messageId: 'room',
    });
  });
});
