import {
  type Answer,
  RawClient,
  RawConnection,
  RawSocket,
  sendRaw,
  withAnswerTimeout,
} from '@messagebox/test-support/raw-client';
import { waitForCondition } from '@messagebox/test-support/wait-for-condition';
import { LiveTestBed } from './live-world.ts';
import { createUniqueId, SECRET } from './refusals.ts';
import { hostProcess, readLinesSince } from './server.ts';

/** Too much, too large, too often, and what is below socket.io: engine.io's packets and requests. */
const LIVE_MAX_BODY = 100_000;
let live: LiveTestBed;
beforeAll(async () => {
  live = await LiveTestBed.start({ LIVE_MAX_BODY: String(LIVE_MAX_BODY) });
});
afterEach(async () => {
  for (const sid of sessions.splice(0)) await poll(sid, 'POST', '1');
  await live.closeSockets();
});
afterAll(() => live.close());

/** engine.io's sessions that a test has opened by itself. */
const sessions: string[] = [];
const transports = ['websocket', 'polling'];
const numbers = (count: number) => `[${'7,'.repeat(count - 1)}7]`;

describe.each(transports)('frames by %s', (transport) => {
  test('are read up to six times the maximum body before the handshake', async () => {
    const socket = await live.open([transport]);
    const frame = (bytes: number) => `2["authMessage",{"payload":"${'p'.repeat(bytes - 32)}"}]`;
    await live.refusedFrame(socket, () => socket.packet(frame(LIVE_MAX_BODY * 6 - 100)), 'ERR_AUTH_MALFORMED');
    await live.ended(socket, () => socket.packet(frame(LIVE_MAX_BODY * 6 + 100)));
    await hangUp(socket);
  });

  test('are read up to six times the maximum body after the handshake', async () => {
    const socket = await live.proven(undefined, [transport]);
    const frame = (count: number) =>
      `2["authMessage",{"version":"0.1","messageType":"general","payload":${numbers(count)}}]`;
    await live.refusedFrame(socket, () => socket.packet(frame(LIVE_MAX_BODY * 2.9)), 'ERR_AUTH_MALFORMED');
    await live.expectAlive(socket);
    await live.ended(socket, () => socket.packet(frame(LIVE_MAX_BODY * 3.1)));
    await hangUp(socket);
  });

  test('have the limit of a stranger before a namespace is joined', async () => {
    const packet = `0{"token":"${SECRET.repeat(30_000)}"}`;
    if (transport === 'polling') {
      const sid = await openPolling();
      const answer = await poll(sid, 'POST', `4${packet}`);
      expect([400, 413]).toContain(answer.status);
    } else {
      const [wire] = await websocket();
      wire.write(textFrame(`4${packet}`));
      await wire.ended;
      wire.destroy();
    }
    expect(live.http.server.openSockets()).toBe(0);
    live.http.expectNoSecrets(0);
  });
});

describe('invalid engine.io requests', () => {
  const base = '/socket.io/?EIO=4&transport=polling';
  test.each<[string, string, string]>([
    ['no parameters', 'GET', '/socket.io/'],
    ['no transport', 'GET', '/socket.io/?EIO=4'],
    ['an unknown transport', 'GET', '/socket.io/?EIO=4&transport=pigeon'],
    ['a transport of a prototype', 'GET', '/socket.io/?EIO=4&transport=constructor'],
    ['webtransport', 'GET', '/socket.io/?EIO=4&transport=webtransport'],
    ['two transports', 'GET', '/socket.io/?EIO=4&transport=polling&transport=websocket'],
    ['a websocket without upgrade', 'GET', '/socket.io/?EIO=4&transport=websocket'],
    ['an old protocol', 'GET', '/socket.io/?EIO=3&transport=polling'],
    ['no protocol', 'GET', '/socket.io/?transport=polling'],
    ['an unknown session', 'GET', `${base}&sid=unknown`],
    ['a session of a prototype', 'GET', `${base}&sid=__proto__`],
    ['a session of a constructor', 'POST', `${base}&sid=constructor`],
    ['two sessions', 'GET', `${base}&sid=a&sid=b`],
    ['a POST without a session', 'POST', base],
    ['a DELETE without a session', 'DELETE', base],
    ['bad percent-encoding', 'GET', `${base}&sid=%zz`],
    ['the client, which is not served', 'GET', '/socket.io/socket.io.js'],
    ['a path outside', 'GET', '/socket.io/../../etc/passwd'],
    ['a large query', 'GET', `${base}&sid=${'s'.repeat(20_000)}`],
  ])('%s', async (_name, method, path) => {
    const answer = await sendRaw(live.http.server.port, { method, path, headers: [] });
    expectRefusedByEngine(answer);
    await live.expectAllServed();
  });

  test.each(['PUT', 'DELETE', 'PATCH', 'TRACE'])('%s of a session', async (method) => {
    const sid = await openPolling();
    expectRefusedByEngine(await poll(sid, method));
  });

  test('answers OPTIONS without authentication', async () => {
    const answer = await sendRaw(live.http.server.port, { method: 'OPTIONS', path: base, headers: [] });
    expect(answer).toMatchObject({ status: 200, headers: { 'access-control-allow-origin': '*' } });
  });

  test.each<[string, string]>([
    ['noise', 'noise'],
    ['an unknown type', '9'],
    ['JSON', '{"a":1}'],
    ['nothing', ''],
    ['separators', '\x1e'.repeat(1_000)],
    ['bad base64', 'b!!!'],
    ['base64 that nobody announced', 'bAAAA'],
    ['a message of nothing', '4'],
    ['an unknown packet', '49'],
    ['a probe out of place', '2probe\x1e5'],
    ['an upgrade out of place', '5'],
    ['pings', '2'.repeat(1)],
    ['a pong to no ping', '3'],
    ['an open', '0{"sid":"a"}'],
    ['NULs', '\0'.repeat(100)],
    ['invalid UTF-8', '\ud800'],
  ])('a post of %s', async (_name, body) => {
    const sid = await openPolling();
    const answer = await poll(sid, 'POST', body);
    expect([200, 400]).toContain(answer.status);
    expect(answer.text).not.toMatch(/</);
  });

  test('a post of bytes', async () => {
    const sid = await openPolling();
    const answer = await sendRaw(live.http.server.port, {
      method: 'POST',
      path: `${base}&sid=${sid}`,
      headers: [['Content-Type', 'application/octet-stream']],
      body: Buffer.from([0xff, 0, 1, 2]),
    });
    expectRefusedByEngine(answer);
  });

  test('a truncated POST ends its session', async () => {
    const sid = await openPolling();
    const wire = await RawConnection.to(live.http.server.port);
    wire.write(`POST ${base}&sid=${sid} HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n40`);
    wire.destroy();
    await wire.ended;
    for (let answer = await poll(sid, 'POST', '3'); answer.status === 200; ) answer = await poll(sid, 'POST', '3');
    expect(live.http.server.openSockets()).toBe(0);
  });

  test('two polls at the same time end the session', async () => {
    const sid = await openPolling();
    const [one, two] = await Promise.all(
      [poll(sid, 'GET'), poll(sid, 'GET')].map((answer) => answer.catch(() => undefined)),
    );
    expect([one?.status, two?.status]).toContain(400);
    expectRefusedByEngine(await poll(sid, 'GET'));
  });

  test.each([
    '/socket.io/?EIO=4&transport=websocket&sid=unknown',
    '/socket.io/?EIO=3&transport=websocket',
    '/socket.io/?EIO=4',
  ])('refuses a websocket to %s', async (path) => {
    const wire = await RawConnection.to(live.http.server.port);
    wire.write(
      `GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n` +
        'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n',
    );
    const answer = await wire.answer('GET').catch(() => undefined);
    expect(answer?.status ?? 400).toBe(400);
    await wire.ended;
    wire.destroy();
  });

  test('closes a websocket whose transport parameter is polling', async () => {
    const [wire, head] = await websocket('/socket.io/?EIO=4&transport=polling');
    expect(head.toString('latin1')).toMatch(/^HTTP\/1.1 101 /);
    const closeFrame = Buffer.of(0x88, 0);
    if (!head.includes(closeFrame)) {
      expect(await new Promise((resolve) => wire.socket.once('data', resolve))).toEqual(closeFrame);
    }
    wire.destroy();
  });

  test.each<[string, number[]]>([
    ['unmasked', [0x81, 0x01, 0x34]],
    ['with reserved bits', [0xf1, 0x80, 0, 0, 0, 0]],
    ['with an unknown opcode', [0x83, 0x80, 0, 0, 0, 0]],
    ['of a ping that is too long', [0x89, 0xfe, 0x01, 0x00, 0, 0, 0, 0]],
    ['that announces 2^63 bytes', [0x81, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0]],
    ['that is text, but no UTF-8', [0x81, 0x81, 0, 0, 0, 0, 0xff]],
    ['that continues nothing', [0x80, 0x80, 0, 0, 0, 0]],
    ['that closes with a wrong code', [0x88, 0x82, 0, 0, 0, 0, 0x00, 0x01]],
  ])('a websocket frame %s ends the connection', async (_name, bytes) => {
    const [wire] = await websocket();
    wire.write(Buffer.from(bytes));
    await wire.ended;
    wire.destroy();
    await live.expectAllServed();
  });
});

describe('namespaces', () => {
  test.each(
    ['/admin', '/__proto__', '/constructor', '/%2f', `/${'n'.repeat(5_000)}`].map((name) => [name.slice(0, 30), name]),
  )('%s does not exist', async (_label, namespace) => {
    await expect(RawSocket.open(live.url + namespace)).rejects.toThrow('Invalid namespace');
    expect(live.http.server.openSockets()).toBe(0);
    await live.expectAllServed();
  });

  test('frames to a namespace that was not joined end the connection', async () => {
    const socket = await live.proven();
    await live.ended(socket, () => socket.packet('2/admin,["authMessage",null]'));
  });

  test('a client that leaves the namespace is disconnected, and others are not affected', async () => {
    const socket = await live.open();
    socket.packet('1');
    await waitForCondition(() => live.http.server.openSockets() === 0, 'the socket is forgotten');
    await socket.closed;
  });

  test('joining and leaving a second namespace repeatedly uses no memory', async () => {
    const warnings: Error[] = [];
    const note = (warning: Error) => warnings.push(warning);
    hostProcess.on('warning', note);
    const prefixed = await LiveTestBed.start({ ROUTING_PREFIX: '/prefix' });
    try {
      const socket = await prefixed.proven();
      const second = socket.io.io.socket('/prefix');
      // One connection may ask for 16 namespaces.
      for (let i = 0; i < 15; i++) {
        const connected = new Promise<void>((resolve) => second.once('connect', resolve));
        if (i > 0) second.connect();
        await withAnswerTimeout(connected, 'the second namespace');
        second.disconnect();
        await waitForCondition(() => prefixed.http.server.openSockets() === 1, 'only the first is left');
      }
      await prefixed.expectAlive(socket);
      expect(warnings).toEqual([]);
    } finally {
      hostProcess.off('warning', note);
      await prefixed.close();
    }
  });
});

describe('limits on repeated input', () => {
  test('accepts 32 refused frames, and ends the connection with the 33rd', async () => {
    const mark = live.http.server.log.length;
    const socket = await live.open();
    for (let i = 0; i < 32; i++) {
      socket.send(null);
      await socket.waitFor('authenticationFailed');
    }
    expect(socket.connected).toBe(true);
    socket.send(null);
    expect(await socket.closed).toBe('io server disconnect');
    expect(readLinesSince(live.http.server, mark)).toHaveLength(33);
  });

  test.each(transports)('frames after the 33rd have no effect (%s)', async (transport) => {
    const client = new RawClient();
    const socket = await live.open([transport]);
    const session = await socket.shakeHands(client);
    const messageId = createUniqueId();
    const message = { messageId, recipient: live.http.recipient.client.identityKey, body: SECRET };
    const mark = live.http.server.log.length;
    const rows = await live.http.server.rows();
    for (let i = 0; i < 40; i++) socket.send(null);
    socket.send(session.event('sendMessage', { roomId: live.room('behind'), message }));
    socket.send(session.event('authenticated', { identityKey: client.identityKey }));
    expect(await socket.closed).toBe('io server disconnect');
    await live.closeSockets();
    await live.expectAllServed();
    expect(readLinesSince(live.http.server, mark)).toHaveLength(33);
    expect(await live.http.list('behind')).toEqual([]);
    expect(await live.http.server.rows()).toMatchObject({ messages: rows.messages + 1 }); // expectAllServed's
    expect(await live.http.server.unprovenSockets()).toBe(0);
  });

  test('allows a thousand rooms on one connection, and refuses the next', async () => {
    const client = new RawClient();
    const socket = await live.proven(client);
    const rooms = Array.from({ length: 1_001 }, (_, i) => live.room(`room ${i}`, client.identityKey));
    for (const room of rooms.slice(0, 1_000)) socket.event('joinRoom', room);
    for (const _ of rooms.slice(0, 1_000)) await socket.waitFor('joinedRoom');
    const mark = live.http.server.log.length;
    socket.event('joinRoom', rooms[1_000]);
    expect(await socket.waitFor('joinFailed')).toMatchObject({ signed: true, data: { roomId: rooms[1_000] } });
    expect(readLinesSince(live.http.server, mark)).toHaveLength(1);
    // One that is joined already, and one in place of another, are taken.
    socket.event('joinRoom', rooms[999]);
    await socket.waitFor('joinedRoom');
    socket.event('leaveRoom', rooms[0]);
    await socket.waitFor('leftRoom');
    socket.event('joinRoom', rooms[1_000]);
    await socket.waitFor('joinedRoom');
    expect(socket.received).toEqual([]);
  });
});

test('a stopping server ends its sockets and refuses new ones as documented', async () => {
  const other = await LiveTestBed.start();
  const socket = await other.proven();
  const closing = other.close();
  expect(await socket.closed).not.toBe('io server disconnect');
  await closing;
});

test('at the end the server works, and nothing is left behind', () => live.expectNoTrouble());

function expectRefusedByEngine(answer: Answer): void {
  expect(answer.status).toBeGreaterThanOrEqual(400);
  expect(answer.status).toBeLessThan(500);
  expect(answer.text).not.toMatch(/<|node_modules|\bat .*:\d+/);
  if (answer.text !== '') expect(JSON.parse(answer.text)).toBeInstanceOf(Object);
}

async function openPolling(): Promise<string> {
  const path = '/socket.io/?EIO=4&transport=polling';
  const answer = await sendRaw(live.http.server.port, { method: 'GET', path, headers: [] });
  const { sid } = JSON.parse(answer.text.slice(1)) as { sid: string };
  sessions.push(sid);
  return sid;
}

function poll(sid: string, method: string, body?: string, { http } = live): Promise<Answer> {
  return sendRaw(http.server.port, {
    method,
    path: `/socket.io/?EIO=4&transport=polling&sid=${sid}`,
    headers: [['Content-Type', 'text/plain;charset=UTF-8']],
    body: method === 'GET' ? undefined : Buffer.from(body ?? ''),
  });
}

/** An engine.io connection that joins no namespace. */
async function websocket(path = '/socket.io/?EIO=4&transport=websocket'): Promise<[RawConnection, Buffer]> {
  const wire = await RawConnection.to(live.http.server.port);
  wire.write(
    `GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
      'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n',
  );
  return [wire, await new Promise<Buffer>((resolve) => wire.socket.once('data', resolve))];
}

/** A websocket frame of text, masked by zeros. */
function textFrame(text: string): Buffer {
  const head = Buffer.alloc(14);
  head[0] = 0x81;
  head[1] = 0xff;
  head.writeBigUInt64BE(BigInt(Buffer.byteLength(text)), 2);
  return Buffer.concat([head, Buffer.from(text)]);
}

/** engine.io refuses a post that is too large, and keeps its session until the client ends it, or pings fail. */
async function hangUp(socket: RawSocket): Promise<void> {
  if (socket.pollingId !== undefined) await poll(socket.pollingId, 'POST', '1');
}
