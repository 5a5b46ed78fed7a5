import { once } from 'node:events';
import { JsonServer } from '@messagebox/shared';
import {
  encodeRequest,
  type Header,
  RawConnection,
  RawSocket,
  sendRaw,
  type WireRequest,
  withAnswerTimeout,
} from '@messagebox/test-support/raw-client';
import { createUniqueId, HttpTestBed } from './refusals.ts';
import { readLinesSince, watchProcess } from './server.ts';

/** As Java's HttpClient and `curl --http2` offer HTTP/2. */
const H2C: readonly Header[] = [
  ['Connection', 'Upgrade, HTTP2-Settings'],
  ['Upgrade', 'h2c'],
  ['HTTP2-Settings', 'AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA'],
];
const WEBSOCKET: readonly Header[] = [
  ['Connection', 'Upgrade'],
  ['Upgrade', 'websocket'],
  ['Sec-WebSocket-Version', '13'],
  ['Sec-WebSocket-Key', 'dGhlIHNhbXBsZSBub25jZQ=='],
];
const offering = (request: WireRequest, offer: readonly Header[] = H2C): WireRequest => ({
  ...request,
  headers: [...offer, ...request.headers],
});
const get = (path: string): WireRequest => ({ method: 'GET', path, headers: [] });

let world: HttpTestBed;
const wires: RawConnection[] = [];
const watched = watchProcess();
beforeAll(async () => {
  world = await HttpTestBed.start({ ROUTING_PREFIX: '/box' });
});
afterEach(() => {
  for (const wire of wires.splice(0)) wire.destroy();
});
afterAll(async () => {
  await world.close();
  watched.stop();
  expect(watched.trouble).toEqual([]);
});

async function wireTo(port = world.server.port): Promise<RawConnection> {
  const wire = await RawConnection.to(port);
  wires.push(wire);
  return wire;
}
const send = (fields: Record<string, unknown> = {}) => world.sender.post('/box/sendMessage', world.message(fields));
const list = () => world.recipient.post('/box/listMessages', { messageBox: 'inbox' });
async function ids(): Promise<string[]> {
  const { text } = await sendRaw(world.server.port, list());
  return (JSON.parse(text) as { messages: { messageId: string }[] }).messages.map(({ messageId }) => messageId);
}

describe.each<[string, readonly Header[]]>([
  ['HTTP/2', H2C],
  [
    'HTTP/2 in other letters',
    [
      ['upgrade', 'H2C'],
      ['connection', 'keep-alive, UPGRADE'],
    ],
  ],
  [
    'two protocols',
    [
      ['Connection', 'Upgrade'],
      ['Upgrade', 'websocket, h2c'],
    ],
  ],
  [
    'TLS',
    [
      ['Connection', 'upgrade'],
      ['Upgrade', 'TLS/1.0'],
    ],
  ],
  ['a websocket where there is none', WEBSOCKET],
])('an offer of %s is ignored', (_name, offer) => {
  test('health is answered', async () => {
    const answer = await sendRaw(world.server.port, offering(get('/health/live'), offer));
    expect(answer).toMatchObject({ status: 200, text: '{"status":"alive"}' });
  });

  test('a handshake is answered', async () => {
    const { client } = world.sender;
    const answer = await sendRaw(
      world.server.port,
      offering(
        {
          method: 'POST',
          path: '/.well-known/auth',
          headers: [['Content-Type', 'application/json']],
          body: Buffer.from(JSON.stringify(client.initialRequest())),
        },
        offer,
      ),
    );
    expect(answer.status).toBe(200);
    expect(JSON.parse(answer.text)).toMatchObject({ messageType: 'initialResponse' });
  });

  test('a signed send is stored, and its answer is signed', async () => {
    const messageId = createUniqueId();
    const request = offering(send({ messageId }), offer);
    const answer = await sendRaw(world.server.port, request);
    expect(answer).toMatchObject({ status: 200 });
    expect(world.sender.isSigned(request, answer)).toBe(true);
    expect(await ids()).toContain(messageId);
  });

  test('an unknown path is answered with 404 in JSON', async () => {
    const answer = await sendRaw(world.server.port, offering(get('/nothing'), offer));
    expect(answer).toMatchObject({ status: 404 });
    expect(JSON.parse(answer.text)).toMatchObject({ status: 'error', code: 'ERR_NOT_FOUND' });
  });
});

test('a chunked body that arrives byte by byte is read completely', async () => {
  const messageId = createUniqueId();
  const request = send({ messageId });
  const body = Buffer.from(request.body ?? '');
  const half = body.length >> 1;
  const chunk = (part: Buffer) =>
    Buffer.concat([Buffer.from(`${part.length.toString(16)}\r\n`), part, Buffer.from('\r\n')]);
  const bytes = Buffer.concat([
    encodeRequest({
      ...offering(request),
      headers: [...H2C, ...request.headers, ['Transfer-Encoding', 'chunked']],
      body: undefined,
    }),
    chunk(body.subarray(0, half)),
    chunk(body.subarray(half)),
    Buffer.from('0\r\n\r\n'),
  ]);
  const wire = await wireTo();
  for (const byte of bytes) {
    wire.write(Buffer.of(byte));
    await new Promise(setImmediate);
  }
  expect((await wire.answer()).status).toBe(200);
  expect(await ids()).toContain(messageId);
});

test('a body of several megabytes is read completely, and one above the limit is refused', async () => {
  const messageId = createUniqueId();
  const answer = await sendRaw(world.server.port, offering(send({ messageId, body: 'x'.repeat(6_000_000) })));
  expect(answer.status).toBe(200);
  const tooLarge = await sendRaw(world.server.port, offering(send({ body: 'x'.repeat(11_000_000) })));
  expect(tooLarge.status).toBe(413);
  const acknowledged = await sendRaw(
    world.server.port,
    world.recipient.post('/box/acknowledgeMessage', { messageIds: [messageId] }),
  );
  expect(acknowledged.status).toBe(200);
});

test('a client that waits for 100 Continue is answered before it sends', async () => {
  const request = offering(send());
  const bytes = encodeRequest({ ...request, headers: [...request.headers, ['Expect', '100-continue']] });
  const wire = await wireTo();
  const told = once(wire.socket, 'data');
  wire.write(bytes.subarray(0, -(request.body?.length ?? 0)));
  expect(String(await told)).toBe('HTTP/1.1 100 Continue\r\n\r\n');
  wire.write(bytes.subarray(-(request.body?.length ?? 0)));
  expect((await wire.answer()).status).toBe(200);
});

test('pipelined requests are answered in order, with and without an offer', async () => {
  const wire = await wireTo();
  const requests = [
    list(), // takes longer than what comes behind it
    offering(get('/health/live')),
    offering(send()),
    offering(send(), WEBSOCKET),
    send(),
    offering(get('/nothing')),
    list(),
    offering(list()),
  ];
  wire.write(Buffer.concat(requests.map(encodeRequest)));
  const answers: [number, boolean][] = [];
  for (const request of requests) {
    const answer = await wire.answer(request.method);
    const requestId = request.headers.find(([name]) => name === 'x-bsv-auth-request-id')?.[1];
    answers.push([answer.status, answer.headers['x-bsv-auth-request-id'] === requestId]);
  }
  expect(answers).toEqual([200, 200, 200, 200, 200, 404, 200, 200].map((status) => [status, true]));
});

test('a connection stays open for a hundred requests with the offer', async () => {
  const wire = await wireTo();
  for (let i = 0; i < 100; i++) {
    const request = i % 2 === 0 ? offering(get('/health/live')) : offering(list());
    wire.write(encodeRequest(request));
    expect((await wire.answer(request.method)).status).toBe(200);
  }
  expect(wire.isOver).toBe(false);
  expect(watched.trouble).toEqual([]);
});

test('a client that asks for the end of the connection gets the answer and the end', async () => {
  const wire = await wireTo();
  wire.write(
    encodeRequest(
      offering(get('/health/live'), [
        ['Connection', 'close, Upgrade'],
        ['Upgrade', 'h2c'],
      ]),
    ),
  );
  const answer = await wire.answer('GET');
  expect(answer).toMatchObject({ status: 200, headers: { connection: 'close' } });
  await withAnswerTimeout(wire.ended, 'the end of the connection');
});

test('the message of a client that does not wait for its answer is stored once', async () => {
  const messageId = createUniqueId();
  const wire = await wireTo();
  wire.socket.end(encodeRequest(offering(send({ messageId }))));
  await wire.ended;
  const stored = async () => (await ids()).filter((id) => id === messageId).length;
  const found = async () => {
    while ((await stored()) === 0) await new Promise(setImmediate);
  };
  await withAnswerTimeout(found(), 'the message');
  expect(await stored()).toBe(1);
});

test('clients that leave in the middle of a request leave nothing behind', async () => {
  const [rows, mark] = [await world.server.rows(), world.server.log.length];
  const bytes = encodeRequest(offering(send()));
  for (const share of [0.2, 0.5, 0.9, 0.999]) {
    const wire = await wireTo();
    wire.write(bytes.subarray(0, Math.floor(bytes.length * share)));
    wire.destroy();
    await wire.ended;
  }
  // One whose earlier request is still to be answered.
  const waiting = await wireTo();
  waiting.write(Buffer.concat([encodeRequest(list()), bytes.subarray(0, -1)]));
  waiting.destroy();
  await ids();
  expect(await world.server.rows()).toEqual(rows);
  // As without an offer: a client that ends its side is told that the request is incomplete.
  expect(readLinesSince(world.server, mark).filter(({ code }) => code !== 'ERR_BAD_REQUEST')).toEqual([]);
});

test('the limits on headers apply', async () => {
  const many = Array.from({ length: 201 }, (_, i): Header => [`x-other-${i}`, '1']);
  for (const headers of [
    [...H2C, ...many],
    [...many, ...H2C],
  ]) {
    expect((await sendRaw(world.server.port, { ...get('/health/live'), headers })).status).toBe(431);
  }
  const large: Header[] = [...H2C, ['x-other', 'x'.repeat(100_000)]];
  expect((await sendRaw(world.server.port, { ...get('/health/live'), headers: large })).status).toBe(431);
  const noHost = await sendRaw(
    world.server.port,
    'GET /health/live HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n',
  );
  expect(noHost.status).toBe(400);
});

test.each(['/socket.io/', '/box/socket.io/'])('long polling at %s ignores the offer', async (path) => {
  const answer = await sendRaw(world.server.port, offering(get(`${path}?EIO=4&transport=polling`)));
  expect(answer.status).toBe(200);
  expect(answer.text).toMatch(/^0\{"sid":/);
});

test('websockets are accepted where socket.io serves them', async () => {
  for (const transports of [['websocket'], ['polling', 'websocket']]) {
    const socket = await RawSocket.proven(world.server.url, world.sender.client, transports);
    expect(socket.connected).toBe(true);
    socket.close();
  }
});

test('a server without websockets answers offers, too', async () => {
  const server = new JsonServer((request, response) => {
    let length = 0;
    request.on('data', (chunk: Buffer) => {
      length += chunk.length;
    });
    request.on('end', () =>
      response.end(JSON.stringify({ url: request.url, length, upgrade: request.headers.upgrade })),
    );
  });
  const port = Number(new URL(await server.listen(0, '127.0.0.1')).port);
  try {
    const wire = await wireTo(port);
    const post = { method: 'POST', path: '/a', headers: [], body: Buffer.alloc(300_000, 'b') };
    wire.write(Buffer.concat([offering(post), post, offering(get('/c'), WEBSOCKET), get('/d')].map(encodeRequest)));
    expect(JSON.parse((await wire.answer()).text)).toEqual({ url: '/a', length: 300_000 });
    expect(JSON.parse((await wire.answer()).text)).toEqual({ url: '/a', length: 300_000 });
    expect(JSON.parse((await wire.answer('GET')).text)).toEqual({ url: '/c', length: 0 });
    expect(JSON.parse((await wire.answer('GET')).text)).toEqual({ url: '/d', length: 0 });
  } finally {
    await server.close(1_000);
  }
});
