import { createAuthenticator, loadCurve } from '@messagebox/brc103';
import { RawClient, type RawSocket, Session, withAnswerTimeout } from '@messagebox/test-support/raw-client';
import { waitForCondition } from '@messagebox/test-support/wait-for-condition';
import { LiveTestBed } from './live-world.ts';
import { createUniqueId, SECRET } from './refusals.ts';
import { readLinesSince } from './server.ts';

/** Frames that are not what they should be: who sends them is told so, and nothing else happens. */
let live: LiveTestBed;
beforeAll(async () => {
  live = await LiveTestBed.start();
});
afterEach(() => live.closeSockets());
afterAll(() => live.close());

type Frame = Record<string, unknown>;
const MALFORMED = 'ERR_AUTH_MALFORMED';
const FAILED = 'ERR_AUTH_FAILED';
const base64 = (bytes: number) => Buffer.alloc(bytes, 7).toString('base64');

/** No frames at all, whoever sends them. */
const noFrames: [string, unknown[]][] = [
  ['nothing', []],
  ['null', [null]],
  ['undefined', [undefined]],
  ['true', [true]],
  ['a number', [7]],
  ['a text', ['initialRequest']],
  ['JSON in a text', [JSON.stringify(new RawClient().initialRequest())]],
  ['an array', [[]]],
  ['an array of a frame', [[new RawClient().initialRequest()]]],
  ['a large array', [Array<number>(8_000).fill(7)]],
  ['an empty object', [{}]],
  ['bytes', [Buffer.from('{"version":"0.1"}')]],
  ['an object with bytes', [{ version: '0.1', messageType: 'general', payload: Buffer.from('a') }]],
  ['many arguments', Array<unknown>(500).fill(null)],
  ['a frame behind null', [null, new RawClient().initialRequest()]],
  ['no version', [{ messageType: 'initialRequest' }]],
  ['another version', [{ ...new RawClient().initialRequest(), version: '0.2' }]],
  ['a version that is a number', [{ ...new RawClient().initialRequest(), version: 0.1 }]],
  ['no type', [{ version: '0.1' }]],
  ['a type in another case', [{ ...new RawClient().initialRequest(), messageType: 'INITIALREQUEST' }]],
  ['a type that is not taken', [{ ...new RawClient().initialRequest(), messageType: 'certificateRequest' }]],
  ['a type from a prototype', [{ version: '0.1', messageType: 'constructor' }]],
  ['fields of a prototype', [JSON.parse(`{"__proto__":${JSON.stringify(new RawClient().initialRequest())}}`)]],
  ['an empty general message', [{ version: '0.1', messageType: 'general' }]],
  ['an empty response', [{ version: '0.1', messageType: 'initialResponse' }]],
];

describe.each(['before', 'after'])('%s the handshake', (moment) => {
  let socket: RawSocket;
  beforeEach(async () => {
    socket = moment === 'before' ? await live.open() : await live.proven();
  });

  test.each(noFrames)('refuses a frame that is %s', async (_name, args) => {
    await live.refusedFrame(socket, () => socket.send(...args), MALFORMED);
    if (moment === 'before') await socket.shakeHands(live.http.sender.client);
    await live.expectAlive(socket);
  });

  test.each<[string, string, unknown[]]>([
    ['an unsigned app event', 'joinRoom', [anyRoom()]],
    ['an unsigned claim of an identity', 'authenticated', [{ identityKey: new RawClient().identityKey }]],
    ['an unsigned message', 'sendMessage', [{ roomId: anyRoom(), message: { messageId: 'a', body: SECRET } }]],
    ['an event without a name', '', []],
    ['an error', 'error', [new Error(SECRET).message]],
    ['a name like a prototype', '__proto__', [{}]],
    ['a constructor', 'constructor', []],
    ['toString', 'toString', []],
    ['a broadcast', `sendMessage-${anyRoom()}`, [{ sender: 'x', messageId: 'a', body: SECRET }]],
    ['a name of 10 KB', 'e'.repeat(10_240), []],
  ])('%s', async (_name, event, args) => {
    await live.refusedFrame(socket, () => socket.io.emit(event, ...args), FAILED);
    if (moment === 'before') await socket.shakeHands(live.http.sender.client);
    await live.expectAlive(socket);
  });

  test('never sends an acknowledgement that a client asks for', async () => {
    const acknowledged: unknown[] = [];
    const callback = (...args: unknown[]) => acknowledged.push(args);
    await live.refusedFrame(socket, () => socket.send(null, callback), MALFORMED);
    await live.refusedFrame(socket, () => socket.io.emit('joinRoom', anyRoom(), callback), FAILED);
    const session = await socket.shakeHands(live.http.sender.client);
    const roomId = live.room('acknowledged', live.http.sender.client.identityKey);
    socket.send(session.event('joinRoom', roomId), callback);
    expect(await socket.waitFor('joinedRoom')).toMatchObject({ data: { roomId } });
    await live.expectAlive(socket);
    expect(acknowledged).toEqual([]);
  });

  test.each<[string, string]>([
    ['the reserved event connect', '2["connect"]'],
    ['the reserved event disconnect', '2["disconnect","a"]'],
    ['the reserved event newListener', '2["newListener","a"]'],
    ['an event that is no array', '2{"a":1}'],
    ['an event without a name', '2[]'],
    ['an event whose name is an object', '2[{}]'],
    ['an unknown packet type', '9["authMessage"]'],
    ['noise', 'noise'],
    ['JSON that is cut off', '2["authMessage",{"version"'],
    ['too many attachments', '599-["authMessage",{"_placeholder":true,"num":0}]'],
    ['attachments without a number', '5-["authMessage"]'],
    ['a connection error', '4{"message":"x"}'],
    ['a second connect', '0{}'],
  ])('a packet that is %s ends the connection', async (_name, packet) => {
    await live.ended(socket, () => socket.packet(packet));
  });

  test('unannounced bytes end the connection', async () => {
    await live.ended(socket, () => engineOf(socket).write(Buffer.from('2["authMessage"]')));
  });

  test('a text in place of an announced attachment ends the connection', async () => {
    await live.ended(socket, () => {
      socket.packet('51-["authMessage",{"_placeholder":true,"num":0}]');
      socket.packet('2["authMessage",null]');
    });
  });

  test.each([-1, 1, 1e9, '"0"', 'null'])('an attachment numbered %s ends the connection', async (num) => {
    await live.ended(socket, () => {
      socket.packet(`51-["authMessage",{"_placeholder":true,"num":${num}}]`);
      engineOf(socket).write(Buffer.from('bytes'));
    });
  });

  test('an attachment numbered 0.5 is ignored', async () => {
    const act = () => {
      socket.packet('51-["authMessage",{"_placeholder":true,"num":0.5}]');
      engineOf(socket).write(Buffer.from('bytes'));
    };
    await live.refusedFrame(socket, act, MALFORMED);
  });

  test('refuses arrays of 20,000 levels, also around an attachment', async () => {
    const deep = (inner: string) => '['.repeat(20_000) + inner + ']'.repeat(20_000);
    await live.refusedFrame(socket, () => socket.packet(`2["authMessage",${deep('')}]`), MALFORMED);
    await live.refusedFrame(socket, () => socket.packet(`2["authMessage",{"a":${deep('')}}]`), MALFORMED);
    await live.ended(socket, () => {
      socket.packet(`51-["authMessage",${deep('{"_placeholder":true,"num":0}')}]`);
      engineOf(socket).write(Buffer.from('bytes'));
    });
  });

  test('unrequested acknowledgements have no effect', async () => {
    socket.packet('37["x"]');
    socket.packet('399999999999999999999["x"]');
    socket.packet('3["x"]');
    if (moment === 'before') await socket.shakeHands(live.http.sender.client);
    await live.expectAlive(socket);
  });

  test('an event that is an empty packet is refused', async () => {
    await live.refusedFrame(socket, () => socket.packet('2'), FAILED);
  });

  test('an event whose name is a number is refused', async () => {
    await live.refusedFrame(socket, () => socket.packet('2[7,{"a":1}]'), FAILED);
  });
});

describe('a handshake', () => {
  const { identityKey } = new RawClient();
  test.each<[string, string, unknown]>([
    ['as "self"', 'identityKey', 'self'],
    ['as "anyone"', 'identityKey', 'anyone'],
    ['without a key', 'identityKey', undefined],
    ['with a key in upper case', 'identityKey', identityKey.toUpperCase()],
    ['with an uncompressed key', 'identityKey', `04${'11'.repeat(64)}`],
    ['with a key off the curve', 'identityKey', `02${'ff'.repeat(32)}`],
    ['with a key in an array', 'identityKey', [identityKey]],
    ['with a large key', 'identityKey', 'f'.repeat(30_000)],
    ['without a nonce', 'initialNonce', undefined],
    ['with a short nonce', 'initialNonce', base64(8)],
    ['with a long nonce', 'initialNonce', base64(200)],
    ['with a nonce of no base64', 'initialNonce', '?'.repeat(64)],
    ['with a constructor', 'constructor', {}],
  ])('%s', async (_name, field, value) => {
    const socket = await live.open();
    const frame = { ...new RawClient().initialRequest(), [field]: value };
    await live.refusedFrame(socket, () => socket.send(frame), MALFORMED);
    await socket.shakeHands(live.http.sender.client);
    await live.expectAlive(socket);
  });

  test('of another identity on the same connection is refused', async () => {
    const socket = await live.proven();
    await live.refusedFrame(socket, () => socket.send(new RawClient().initialRequest()), FAILED);
    await live.expectAlive(socket);
  });

  test.each<[string, unknown]>([
    ['too much', { certifiers: Array<string>(500).fill('x'), types: {} }],
    ['nonsense', 'x'],
  ])('that asks for %s is answered', async (_name, requestedCertificates) => {
    const socket = await live.open();
    socket.send({ ...new RawClient().initialRequest(), requestedCertificates });
    expect(await socket.waitFor('authMessage')).toMatchObject({ data: { messageType: 'initialResponse' } });
  });

  test('in the name of the server itself is refused', async () => {
    const socket = await live.open();
    const { identityKey: own } = live.http.server;
    await live.refusedFrame(
      socket,
      () => socket.send({ ...new RawClient().initialRequest(), identityKey: own }),
      FAILED,
    );
  });

  test('is answered for each of many on one connection, and the first and the last session remain valid', async () => {
    const socket = await live.proven();
    const first = socket.session as Session;
    for (let i = 0; i < 100; i++) await socket.shakeHands(live.http.sender.client);
    await live.expectAlive(socket);
    const roomId = live.room('first', first.client.identityKey);
    socket.send(first.event('joinRoom', roomId));
    expect(await socket.waitFor('joinedRoom')).toEqual({ signed: true, name: 'joinedRoom', data: { roomId } });
  });

  test('in a loop is refused after a while and ends only its own connection', async () => {
    const mark = live.http.server.log.length;
    const socket = await live.open();
    const other = await live.proven(new RawClient());
    const { client } = live.http.sender;
    const rows = await live.http.server.rows();
    for (let i = 0; i < 1_200; i++) socket.send(client.initialRequest());
    await live.expectAlive(other);
    expect(await withAnswerTimeout(socket.closed, 'the end of the connection')).toBe('io server disconnect');
    const answers = socket.received.filter(({ name }) => name === 'authMessage');
    expect(answers.length).toBeLessThanOrEqual(16);
    expect(readLinesSince(live.http.server, mark).length).toBeLessThanOrEqual(33);
    expect(await live.http.server.rows()).toEqual(rows);
  });
});

describe('a fence', () => {
  /** Joins and leaves so often that the server asks whether the client keeps up. */
  async function busy(socket: RawSocket, answers: number): Promise<void> {
    const roomId = live.room('busy', socket.session?.client.identityKey);
    for (let i = 0; i < answers; i++) {
      socket.event(i % 2 === 0 ? 'joinRoom' : 'leaveRoom', roomId);
      await socket.waitFor(i % 2 === 0 ? 'joinedRoom' : 'leftRoom');
    }
  }

  test('is answered with a nonce that the client may use and the server does not sign under', async () => {
    const socket = await live.proven();
    await busy(socket, 40);
    expect(socket.answered.length).toBeGreaterThanOrEqual(2);
    const session = socket.session as Session;
    const roomId = live.room('fence', session.client.identityKey);
    socket.send(session.under(String(socket.answered[0])).event('joinRoom', roomId));
    expect(await socket.waitFor('joinedRoom')).toEqual({ signed: true, name: 'joinedRoom', data: { roomId } });
  });

  test('that is not answered delays only the events after it', async () => {
    const socket = await live.proven();
    socket.answersQuestions = false;
    const roomId = live.room('silent', socket.session?.client.identityKey);
    for (let i = 0; i < 60; i++) socket.event(i % 2 === 0 ? 'joinRoom' : 'leaveRoom', roomId);
    const asked = await socket.waitFor('authMessage');
    expect(asked.data).toMatchObject({ messageType: 'initialRequest' });
    await live.expectAlive(await live.proven(new RawClient()));
    // It has got as many as a client bears, and gets the rest when it answers.
    const answers = () => socket.received.filter(({ signed }) => signed).length;
    await waitForCondition(() => answers() >= 25, 'the answers that there is room for');
    expect(answers()).toBeLessThan(31);
    socket.answersQuestions = true;
    const { client } = socket.session as Session;
    socket.send(client.answerInitialRequest(asked.data as { identityKey: string; initialNonce: string }).response);
    await waitForCondition(() => answers() === 60, 'all answers');
    socket.received.length = 0;
    await live.expectAlive(socket);
  });

  test('is not ended by an answer with a wrong signature or of another identity', async () => {
    const socket = await live.proven();
    socket.answersQuestions = false;
    const roomId = live.room('forged', socket.session?.client.identityKey);
    for (let i = 0; i < 14; i++) {
      socket.event('joinRoom', roomId);
      await socket.waitFor('joinedRoom');
    }
    const { data } = await socket.waitFor('authMessage');
    const request = data as { identityKey: string; initialNonce: string };
    const { response } = (socket.session as Session).client.answerInitialRequest(request);
    await live.refusedFrame(socket, () => socket.send({ ...response, initialNonce: base64(48) }), FAILED);
    await live.refusedFrame(socket, () => socket.send(new RawClient().answerInitialRequest(request).response), FAILED);
    socket.answersQuestions = true;
    socket.send(response);
    await live.expectAlive(socket);
  });
});

describe('a signed frame', () => {
  let socket: RawSocket;
  let session: Session;
  beforeEach(async () => {
    socket = await live.proven();
    session = socket.session as Session;
  });
  const message = () => {
    const { recipient, body } = live.http.message().message;
    return { roomId: live.room(), message: { messageId: createUniqueId(), recipient, body } };
  };
  const frame = (): Frame => session.event('sendMessage', message());

  test('is accepted without tampering', async () => {
    const data = message();
    socket.event('sendMessage', data);
    const ack = await socket.waitFor(`sendMessageAck-${live.room()}`);
    expect(ack).toMatchObject({ signed: true, data: { status: 'success', messageId: data.message.messageId } });
  });

  const otherNonce = (key: Uint8Array, minutesAgo = 0): string =>
    createAuthenticator({
      privateKey: key,
      curve: loadCurve(),
      now: () => Date.now() - minutesAgo * 60_000,
    }).answerHandshake({ ...session.client.initialRequest(), initialNonce: session.clientNonce }).response.initialNonce;

  test.each<[string, string, (frame: Frame) => unknown, string]>([
    ['no identity', 'identityKey', () => undefined, MALFORMED],
    ['an identity that is a number', 'identityKey', () => 7, MALFORMED],
    ['a large identity', 'identityKey', () => 'f'.repeat(2_000), MALFORMED],
    ['no nonce', 'nonce', () => undefined, MALFORMED],
    ['an empty nonce', 'nonce', () => '', MALFORMED],
    ['a nonce of no base64', 'nonce', () => '!'.repeat(44), MALFORMED],
    ['a short nonce', 'nonce', () => base64(4), MALFORMED],
    ['a large nonce', 'nonce', () => base64(3_000), MALFORMED],
    ['no session nonce', 'yourNonce', () => null, MALFORMED],
    ['a session nonce in an array', 'yourNonce', ({ yourNonce }) => [yourNonce], MALFORMED],
    ['no payload', 'payload', () => undefined, MALFORMED],
    ['a payload that is a text', 'payload', () => '{"eventName":"a"}', MALFORMED],
    ['a payload like an array', 'payload', ({ payload }) => ({ ...(payload as number[]) }), MALFORMED],
    ['a payload in bytes', 'payload', ({ payload }) => Buffer.from(payload as number[]), MALFORMED],
    ['a payload with 256', 'payload', ({ payload }) => [...(payload as number[]), 256], MALFORMED],
    ['a payload with -1', 'payload', ({ payload }) => [...(payload as number[]), -1], MALFORMED],
    ['a payload with a fraction', 'payload', ({ payload }) => [...(payload as number[]), 0.5], MALFORMED],
    ['a payload with a text', 'payload', ({ payload }) => (payload as number[]).map(String), MALFORMED],
    ['a payload with a gap', 'payload', ({ payload }) => [...(payload as number[]), null], MALFORMED],
    ['a payload with arrays', 'payload', ({ payload }) => [payload], MALFORMED],
    ['no signature', 'signature', () => undefined, MALFORMED],
    ['a signature in hex', 'signature', () => '30', MALFORMED],
    ['a large signature', 'signature', () => Array(81).fill(7), MALFORMED],
    ['another identity', 'identityKey', () => live.http.recipient.client.identityKey, FAILED],
    ['"self"', 'identityKey', () => 'self', FAILED],
    ['its identity in upper case', 'identityKey', ({ identityKey }) => String(identityKey).toUpperCase(), FAILED],
    ['another nonce', 'nonce', () => base64(32), FAILED],
    ['an unknown session nonce', 'yourNonce', () => base64(48), FAILED],
    ['a session nonce of 47 bytes', 'yourNonce', ({ yourNonce }) => cut(yourNonce, 47), FAILED],
    ['a session nonce of 49 bytes', 'yourNonce', ({ yourNonce }) => cut(yourNonce, 49), FAILED],
    ['a session nonce of 120 bytes', 'yourNonce', () => base64(120), FAILED],
    ['a session nonce with padding', 'yourNonce', ({ yourNonce }) => `${yourNonce}====`, FAILED],
    ['a session nonce in another alphabet', 'yourNonce', ({ yourNonce }) => toUrlAlphabet(yourNonce), FAILED],
    ['a session nonce with a line break', 'yourNonce', ({ yourNonce }) => `${yourNonce}\n`, FAILED],
    [
      'a session nonce of one minute and more ahead',
      'yourNonce',
      () => otherNonce(live.http.server.privateKey, -2),
      FAILED,
    ],
    ['a session nonce of no base64', 'yourNonce', () => '%%%', FAILED],
    ["another user's session nonce", 'yourNonce', () => live.http.recipient.serverNonce, FAILED],
    ["another server's session nonce", 'yourNonce', () => otherNonce(new RawClient().privateKey), FAILED],
    ['another session nonce of this server', 'yourNonce', () => otherNonce(live.http.server.privateKey), FAILED],
    ['an empty payload', 'payload', () => [], FAILED],
    ['a payload with one byte more', 'payload', ({ payload }) => [...(payload as number[]), 32], FAILED],
    ['a changed payload', 'payload', () => [...Buffer.from('{"eventName":"joinRoom"}')], FAILED],
    ['an empty signature', 'signature', () => [], FAILED],
    ['a signature of another frame', 'signature', () => frame()['signature'], FAILED],
    [
      'a changed signature',
      'signature',
      ({ signature }) => (signature as number[]).map((b, i) => (i === 40 ? b ^ 1 : b)),
      FAILED,
    ],
    ['a signature of zeros', 'signature', () => Array(70).fill(0), FAILED],
  ])('with %s', async (_name, field, tamper, code) => {
    const honest = frame();
    await live.refusedFrame(socket, () => socket.send({ ...honest, [field]: tamper(honest) }), code);
    await live.expectAlive(socket);
  });

  test('under a session that is too old for a socket is refused', async () => {
    const old = session.under(otherNonce(live.http.server.privateKey, 8 * 24 * 60));
    await live.refusedFrame(socket, () => socket.send(old.event('sendMessage', message())), FAILED);
  });

  test("of another identity, under that identity's own session, is refused", async () => {
    const stranger = await new RawClient().shakeHands(live.http.server.port);
    await live.refusedFrame(socket, () => socket.send(stranger.event('sendMessage', message())), FAILED);
    await live.expectAlive(socket);
  });

  test.each<[string, Uint8Array | string]>([
    ['nothing', ''],
    ['no JSON', `eventName=${SECRET}`],
    ['JSON that is cut off', '{"eventName":"joinRoom"'],
    ['null', 'null'],
    ['a number', '7'],
    ['a text', '"joinRoom"'],
    ['an array', '["joinRoom"]'],
    ['no event', '{}'],
    ['no name', '{"data":1}'],
    ['a name that is a number', '{"eventName":7}'],
    ['a name that is null', '{"eventName":null}'],
    ['a name that is an array', '{"eventName":["joinRoom"]}'],
    ['a name of 10 KB', JSON.stringify({ eventName: 'e'.repeat(10_240) })],
    ['a name of a prototype', '{"__proto__":{"eventName":"joinRoom"}}'],
    ['deep arrays', '['.repeat(100_000) + ']'.repeat(100_000)],
    ['a deep name', `{"eventName":${'['.repeat(100_000)}${']'.repeat(100_000)}}`],
    ['too many objects', `{"eventName":"joinRoom","data":[${'{},'.repeat(100_000)}0]}`],
    ['invalid UTF-8', Buffer.from([0x22, 0xff, 0x22])],
    ['half a surrogate pair in UTF-8', Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22])],
    ['UTF-16', Buffer.from('{"eventName":"joinRoom"}', 'utf16le')],
  ])('around %s', async (_name, payload) => {
    const bytes = typeof payload === 'string' ? Buffer.from(payload) : payload;
    await live.refusedFrame(socket, () => socket.send(session.frame(bytes)), MALFORMED);
    await live.expectAlive(socket);
  });

  const strange = [
    'connect',
    'connect_error',
    'disconnect',
    'disconnecting',
    'error',
    'newListener',
    'removeListener',
    'authMessage',
    'joinedRoom',
    'sendMessageAck-x',
    'SENDMESSAGE',
    'sendMessage ',
    '__proto__',
    'constructor',
    'toString',
    '',
    '\0',
    '\ud800',
    'e'.repeat(2_048),
  ];
  test.each(strange.map((name) => [JSON.stringify(name).slice(0, 30), name]))(
    'whose event is named %s is ignored',
    async (_label, eventName) => {
      const [rows, mark] = [await live.http.server.rows(), live.http.server.log.length];
      for (const data of [undefined, null, {}, live.room(), message()]) socket.event(eventName, data);
      await live.expectAlive(socket);
      expect(await live.http.server.rows()).toEqual(rows);
      live.http.expectNoSecrets(mark);
    },
  );
});

describe('frames that were captured on another connection', () => {
  test('have no effect, whether event or handshake', async () => {
    const victim = await live.proven();
    const session = victim.session as Session;
    const captured = [
      session.event('joinRoom', live.room('captured', session.client.identityKey)),
      session.event('sendMessage', {
        roomId: live.room('captured'),
        message: { messageId: createUniqueId(), body: SECRET },
      }),
    ];
    const rows = await live.http.server.rows();
    const thief = await live.open();
    for (const frame of captured) thief.send(frame);
    const challenge = await thief.waitFor('authMessage');
    expect(challenge.data).toMatchObject({ messageType: 'initialRequest', identityKey: live.http.server.identityKey });
    const { initialNonce } = challenge.data as { initialNonce: string };
    // The answer takes the victim's key, which the thief doesn't have.
    const response = {
      version: '0.1',
      messageType: 'initialResponse',
      identityKey: session.client.identityKey,
      initialNonce: base64(48),
      yourNonce: initialNonce,
    };
    const thiefs = new Session(new RawClient(), session.serverKey, initialNonce, base64(48)).frame(Buffer.from('x'));
    for (const signature of [thiefs['signature'], captured[0]?.['signature'], [], [48, 6, 2, 1, 0, 2, 1, 0]]) {
      await live.refusedFrame(thief, () => thief.send({ ...response, signature }), FAILED);
    }
    await live.refusedFrame(
      thief,
      () => thief.send({ ...response, identityKey: new RawClient().identityKey, signature: [1] }),
      FAILED,
    );
    await live.refusedFrame(thief, () => thief.send({ ...response, initialNonce: 'x', signature: [1] }), MALFORMED);
    expect(await live.http.server.rows()).toEqual(rows);
    expect(await live.http.list('captured')).toEqual([]);
    await live.expectAlive(victim);
  });

  test('ignores an answer without a request', async () => {
    const socket = await live.proven();
    const response = {
      version: '0.1',
      messageType: 'initialResponse',
      identityKey: socket.session?.client.identityKey,
    };
    socket.send({
      ...response,
      initialNonce: base64(48),
      yourNonce: base64(120),
      signature: [48, 6, 2, 1, 0, 2, 1, 0],
    });
    await live.expectAlive(socket);
  });
});

test('at the end the server works, and nothing is left behind', () => live.expectNoTrouble());

/** The bytes of a nonce, cut or filled to this length. */
function cut(nonce: unknown, length: number): string {
  return Buffer.concat([Buffer.from(String(nonce), 'base64'), Buffer.alloc(1, 7)])
    .subarray(0, length)
    .toString('base64');
}

/** The same bytes in the alphabet of URLs, spelled so that it makes a difference. */
function toUrlAlphabet(nonce: unknown): string {
  return `-${Buffer.from(String(nonce), 'base64').toString('base64url').slice(1)}`;
}

function anyRoom(): string {
  return `${'02'.repeat(33)}-inbox`;
}

function engineOf(socket: RawSocket): { write(data: string | Uint8Array): void } {
  return socket.io.io.engine as unknown as { write(data: string | Uint8Array): void };
}
