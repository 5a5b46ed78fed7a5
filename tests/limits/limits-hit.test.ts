import { type Answer, RawClient, type Session, type WireRequest } from '@messagebox/test-support/raw-client';
import { LiveTestBed } from '../bad-input/live-world.ts';
import { createUniqueId, type HttpTestBed } from '../bad-input/refusals.ts';
import { readLinesSince } from '../bad-input/server.ts';

/** A server whose limits are small. Each test has identities of its own; those of the address come last. */
let live: LiveTestBed;
let world: HttpTestBed;
beforeAll(async () => {
  live = await LiveTestBed.start({
    RATE_REQUESTS_PER_IDENTITY: '4/3600s',
    RATE_SENDS_PER_IDENTITY: '3/3600s',
    RATE_SENT_BYTES_PER_IDENTITY: '1000/3600s',
    RATE_EVENTS_PER_IDENTITY: '20/3600s',
    RATE_HANDSHAKES_PER_ADDRESS: '60/3600s',
    RATE_FAILURES_PER_ADDRESS: '5/3600s',
    RATE_NEW_SOCKETS_PER_ADDRESS: '12/3600s',
    RATE_OVERLAY_REQUESTS_PER_ADDRESS: '2/3600s',
    RATE_OVERLAY_SUBMISSIONS_PER_ADDRESS: '2/3600s',
    MAX_BODY_BYTES: '20000',
    LIVE_MAX_BODY: '2000',
    MAX_RECIPIENTS: '2',
    MAX_ACKNOWLEDGED_IDS: '2',
    MAX_PERMISSIONS_PER_IDENTITY: '1',
    MAX_DEVICES_PER_IDENTITY: '1',
    MAX_SOCKETS_PER_IDENTITY: '2',
    MAX_SOCKETS_PER_ROOM: '1',
    MAX_ROOMS_PER_SOCKET: '1',
    MAX_HEADERS: '70',
    MAX_PATH_BYTES: '300',
    INBOX_MAX_MESSAGES: '1',
  });
  world = live.http;
});
afterEach(() => live.closeSockets());
afterAll(() => world.close());

const newcomer = (): Promise<Session> => new RawClient().shakeHands(world.server.port);
const message = (recipient: unknown, over: object = {}) => ({
  message: { recipient, messageBox: 'inbox', messageId: createUniqueId(), body: 'hello', ...over },
});
const stranger = () => new RawClient().identityKey;

/** How often a limit was hit by now. */
async function hits(limit: string): Promise<number> {
  const text = await world.server.metrics();
  return Number(new RegExp(`^messagebox_limits_hit_total\\{.*limit="${limit}".*\\} (\\d+)$`, 'm').exec(text)?.[1] ?? 0);
}

/** Does something that hits a limit once; the log names it, if not each time. */
async function hit<T>(limit: string, act: () => Promise<T>): Promise<T> {
  const before = await hits(limit);
  const result = await act();
  expect(await hits(limit)).toBe(before + 1);
  expect(readLinesSince(world.server, 0).filter((line) => line.limit === limit)).not.toEqual([]);
  return result;
}

const refusal = ({ status, text, headers }: Answer) => ({
  status,
  code: (JSON.parse(text) as { code: string }).code,
  waits: Number(headers['retry-after'] ?? 0) > 0,
});
const post = (by: Session, path: string, body: object) => world.send(by.post(path, body));
const TOO_MANY = { status: 429, code: 'ERR_TOO_MANY_REQUESTS', waits: true };

test('counts requests of one identity', async () => {
  const alice = await newcomer();
  for (let i = 0; i < 4; i++) expect((await post(alice, '/listMessages', { messageBox: 'inbox' })).status).toBe(200);
  const answer = await hit('request_rate', () => post(alice, '/listMessages', { messageBox: 'inbox' }));
  expect(refusal(answer)).toEqual(TOO_MANY);
});

test('counts messages of one identity over HTTP and live, one for each recipient', async () => {
  const alice = new RawClient();
  const session = await alice.shakeHands(world.server.port);
  const two = message([stranger(), stranger()], { messageId: [createUniqueId(), createUniqueId()] });
  expect((await post(session, '/sendMessage', two)).status).toBe(200);
  const socket = await live.proven(alice);
  const roomId = `${stranger()}-inbox`;
  const send = () => socket.event('sendMessage', { roomId, message: { messageId: createUniqueId(), body: 'hello' } });
  send();
  expect((await socket.waitFor(`sendMessageAck-${roomId}`)).data).toMatchObject({ status: 'success' });
  const told = { code: 'ERR_TOO_MANY_REQUESTS' };
  await hit('sends', async () => {
    send();
    expect((await socket.waitFor('messageFailed')).data).toMatchObject(told);
    expect((await socket.waitFor(`sendMessageAck-${roomId}`)).data).toMatchObject({ status: 'error', ...told });
  });
  const answer = await hit('sends', () => post(session, '/sendMessage', message(stranger())));
  expect(refusal(answer)).toEqual(TOO_MANY);
});

test('counts bytes of one identity', async () => {
  const alice = await newcomer();
  expect((await post(alice, '/sendMessage', message(stranger(), { body: 'x'.repeat(900) }))).status).toBe(200);
  const more = message(stranger(), { body: 'x'.repeat(101) });
  expect(refusal(await hit('sent_bytes', () => post(alice, '/sendMessage', more)))).toEqual(TOO_MANY);
});

test('counts refusals of rules', async () => {
  const [alice, bob] = [await newcomer(), await newcomer()];
  const three = message([stranger(), stranger(), stranger()], {
    messageId: [createUniqueId(), createUniqueId(), createUniqueId()],
  });
  expect(refusal(await hit('recipients', () => post(alice, '/sendMessage', three)))).toMatchObject({ status: 400 });
  const ids = { messageIds: ['a', 'b', 'c'] };
  const refused = await hit('acknowledged_ids', () => post(alice, '/acknowledgeMessage', ids));
  expect(refusal(refused)).toMatchObject({ status: 400, code: 'ERR_TOO_MANY_MESSAGE_IDS' });
  const allow = (messageBox: string) => post(bob, '/permissions/set', { messageBox, recipientFee: 0 });
  expect((await allow('one')).status).toBe(200);
  expect(refusal(await hit('permissions', () => allow('two')))).toMatchObject({ status: 429 });
  const deep = `${'['.repeat(200)}${']'.repeat(200)}`;
  const nested = await hit('json_structure', () => world.send(alice.post('/sendMessage', deep)));
  expect(refusal(nested)).toMatchObject({ status: 400, code: 'ERR_INVALID_JSON' });
});

test('counts a full inbox', async () => {
  const [alice, bob] = [await newcomer(), stranger()];
  expect((await post(alice, '/sendMessage', message(bob))).status).toBe(200);
  const answer = await hit('inbox_quota', () => post(alice, '/sendMessage', message(bob)));
  expect(refusal(answer)).toEqual({ status: 429, code: 'ERR_INBOX_QUOTA_EXCEEDED', waits: true });
});

test('counts devices of one identity', async () => {
  const alice = await newcomer();
  const register = (fcmToken: string) => post(alice, '/registerDevice', { fcmToken });
  expect((await register('one')).status).toBe(200);
  const before = await hits('devices');
  expect((await register('two')).status).toBe(200);
  expect(await hits('devices')).toBe(before + 1);
  const listed = await world.send(alice.sign({ method: 'GET', path: '/devices' }));
  expect(JSON.parse(listed.text)).toMatchObject({ devices: [{ fcmToken: '...two' }] });
});

test('counts identities of one device token', async () => {
  const register = async () => post(await newcomer(), '/registerDevice', { fcmToken: 'shared' });
  for (let n = 0; n < 20; n++) expect((await register()).status).toBe(200);
  const answer = await hit('identities_per_token', register);
  expect(refusal(answer)).toMatchObject({ status: 429, code: 'ERR_TOO_MANY_IDENTITIES' });
});

test('counts a body, a path and headers that are too large', async () => {
  const alice = await newcomer();
  const large = message(stranger(), { body: 'x'.repeat(20_001) });
  const body = await hit('body_size', () => post(alice, '/sendMessage', large));
  expect(refusal(body)).toMatchObject({ status: 413, code: 'ERR_BODY_TOO_LARGE' });
  const get = (path: string, headers: WireRequest['headers'] = []) => world.send({ method: 'GET', path, headers });
  expect((await hit('path_length', () => get(`/${'x'.repeat(300)}`))).status).toBe(414);
  const headers = Array.from({ length: 71 }, (_, i) => [`x-${i}`, '1'] as const);
  expect((await hit('header_count', () => get('/', headers))).status).toBe(431);
});

test('counts rooms, sockets in a room, and a live body', async () => {
  const alice = new RawClient();
  const [one, other] = [await live.proven(alice), await live.proven(alice)];
  const room = (box: string) => `${alice.identityKey}-${box}`;
  one.event('joinRoom', room('a'));
  await one.waitFor('joinedRoom');
  await hit('rooms_per_socket', async () => {
    one.event('joinRoom', room('b'));
    expect((await one.waitFor('joinFailed')).data).toMatchObject({ code: 'ERR_TOO_MANY_ROOMS' });
  });
  await hit('message_size', async () => {
    const roomId = `${stranger()}-inbox`;
    one.event('sendMessage', { roomId, message: { messageId: createUniqueId(), body: 'x'.repeat(2_001) } });
    expect((await one.waitFor('messageFailed')).data).toMatchObject({ code: 'ERR_MESSAGE_TOO_LARGE' });
  });
  // Saying who it is costs four, and so does joining: 17 of 20 are used.
  other.event('joinRoom', room('b'));
  await other.waitFor('joinedRoom');
  await hit('events', async () => {
    other.event('joinRoom', room('b'));
    expect((await other.waitFor('joinFailed')).data).toMatchObject({ code: 'ERR_TOO_MANY_REQUESTS' });
  });
});

test('counts sockets in one room, and of one identity', async () => {
  const alice = new RawClient();
  const [one, other] = [await live.proven(alice), await live.proven(alice)];
  const room = `${alice.identityKey}-a`;
  one.event('joinRoom', room);
  await one.waitFor('joinedRoom');
  await hit('sockets_in_room', async () => {
    other.event('joinRoom', room);
    expect((await other.waitFor('joinFailed')).data).toMatchObject({ code: 'ERR_TOO_MANY_SOCKETS' });
  });
  await hit('sockets_per_identity', async () => {
    const third = await live.open();
    await third.shakeHands(alice);
    third.event('joinRoom', room);
    expect((await third.waitFor('authenticationFailed')).data).toMatchObject({ reason: expect.stringContaining('2') });
  });
});

test('counts overlay queries', async () => {
  const ask = (path: string, body: string) =>
    world.send({ method: 'POST', path, headers: [['x-topics', '["tm_ship"]']], body: Buffer.from(body) });
  for (let i = 0; i < 2; i++) await ask('/lookup', '{}');
  expect(refusal(await hit('overlay_requests', () => ask('/lookup', '{}')))).toEqual(TOO_MANY);
  for (let i = 0; i < 2; i++) await ask('/submit', 'x');
  expect(refusal(await hit('overlay_submissions', () => ask('/submit', 'x')))).toEqual(TOO_MANY);
});

test('counts failures, new sockets and handshakes of one address', async () => {
  const unproven = await newcomer();
  const wrong = () => {
    const request = unproven.post('/listMessages', { messageBox: 'inbox' });
    return world.send({ ...request, body: Buffer.from('{}') });
  };
  while ((await hits('failures')) === 0) {
    const answer = await wrong();
    expect([401, 429]).toContain(answer.status);
  }
  expect(refusal(await hit('failures', wrong))).toEqual(TOO_MANY);

  const connect = () => world.send({ method: 'GET', path: '/socket.io/?EIO=4&transport=polling', headers: [] });
  while ((await hits('new_sockets')) === 0) expect([200, 429]).toContain((await connect()).status);
  expect(refusal(await hit('new_sockets', connect))).toEqual(TOO_MANY);

  const shake = () => {
    const body = Buffer.from(JSON.stringify(new RawClient().initialRequest()));
    return world.send({
      method: 'POST',
      path: '/.well-known/auth',
      headers: [['content-type', 'application/json']],
      body,
    });
  };
  while ((await hits('handshakes')) === 0) expect([200, 429]).toContain((await shake()).status);
  expect(refusal(await hit('handshakes', shake))).toEqual(TOO_MANY);
});
