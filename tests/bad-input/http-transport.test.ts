import { gzipSync } from 'node:zlib';
import {
  type Answer,
  encodeRequest,
  getHeader,
  type Header,
  RawConnection,
  sendRaw,
  type WireRequest,
  withHeader,
} from '@messagebox/test-support/raw-client';
import { waitForCondition } from '@messagebox/test-support/wait-for-condition';
import { createUniqueId, HttpTestBed, SECRET } from './refusals.ts';
import { readLinesSince } from './server.ts';

const MAX_BODY = 20_000;
let world: HttpTestBed;
let wires: RawConnection[] = [];
beforeAll(async () => {
  world = await HttpTestBed.start({ MAX_BODY_BYTES: String(MAX_BODY) });
});
afterEach(async () => {
  for (const wire of wires) wire.destroy();
  wires = [];
  // Log lines about unfinished requests belong to this test and not to the next.
  await waitForCondition(() => world.server.openConnections() === 0, 'the server has seen the end of all connections');
});
afterAll(() => world.close());

async function wireTo(): Promise<RawConnection> {
  const wire = await RawConnection.to(world.server.port);
  wires.push(wire);
  return wire;
}

const padded = (bytes: number) => {
  const shell = JSON.stringify(world.message({ body: SECRET }));
  return Buffer.from(shell.replace(SECRET, SECRET + 'p'.repeat(bytes - shell.length)));
};
const chunked = (request: WireRequest, size = 1_000): Buffer => {
  const body = Buffer.from(request.body ?? '');
  const chunks: Buffer[] = [];
  for (let at = 0; at < body.length; at += size) {
    const chunk = body.subarray(at, at + size);
    chunks.push(Buffer.from(`${chunk.length.toString(16)}\r\n`), chunk, Buffer.from('\r\n'));
  }
  const head = encodeRequest({ ...withHeader(request, 'transfer-encoding', 'chunked'), body: undefined });
  return Buffer.concat([head, ...chunks, Buffer.from('0\r\n\r\n')]);
};
/** The connection serves the next request, or is closed; it is never left in between. */
async function expectUsableOrClosed(wire: RawConnection, answer: Answer): Promise<void> {
  if (answer.headers['connection'] === 'close') return wire.ended;
  wire.write(encodeRequest(world.recipient.post('/listMessages', { messageBox: 'inbox' })));
  expect((await wire.answer()).status).toBe(200);
}

describe('bodies above the limit', () => {
  test('accepts a body of the limit, and refuses one byte more', async () => {
    await world.expectAccepted(world.sendMessage(padded(MAX_BODY)));
    await world.expectRefused(world.sendMessage(padded(MAX_BODY + 1)), 'ERR_BODY_TOO_LARGE');
  });

  test('accepts a body of the limit in chunks, and refuses one byte more', async () => {
    expect((await world.send(chunked(world.sendMessage(padded(MAX_BODY))))).status).toBe(200);
    await world.expectRefused(chunked(world.sendMessage(padded(MAX_BODY + 1))), 'ERR_BODY_TOO_LARGE');
  });

  test.each([MAX_BODY + 1, 3_000_000])('%d bytes leave the connection usable or closed', async (bytes) => {
    for (const encode of [encodeRequest, chunked]) {
      const wire = await wireTo();
      wire.write(encode(world.sendMessage(padded(bytes))));
      const answer = await wire.answer();
      world.expectRefusal(answer, 'ERR_BODY_TOO_LARGE');
      await expectUsableOrClosed(wire, answer);
    }
  });

  test('refuses large bodies without authentication for the missing authentication', async () => {
    const { headers: _none, ...rest } = world.sendMessage(padded(1_000_000));
    await world.expectRefused({ ...rest, headers: [] }, 'UNAUTHORIZED');
  });

  test('refuses an announced body that never arrives, and ends the connection', async () => {
    const wire = await wireTo();
    const request = withHeader(world.sendMessage(Buffer.from('{"mess')), 'content-length', '99999999');
    const mark = world.server.log.length;
    wire.write(encodeRequest(request));
    const answer = await wire.answer();
    world.expectRefusal(answer, 'ERR_BODY_TOO_LARGE');
    world.expectOneLine(mark, 'ERR_BODY_TOO_LARGE', request);
    expect(answer.headers['connection']).toBe('close');
    await wire.ended;
  });

  test('answers a client that waits for 100 Continue before it sends', async () => {
    const wire = await wireTo();
    const request = world.sendMessage();
    const [head = '', body = ''] = encodeRequest(withHeader(request, 'expect', '100-continue'))
      .toString()
      .split(/(?<=\r\n\r\n)/);
    wire.write(head);
    const first = await new Promise<Buffer>((resolve) => wire.socket.once('data', resolve));
    expect(first.toString()).toBe('HTTP/1.1 100 Continue\r\n\r\n');
    wire.write(body);
    expect((await wire.answer()).status).toBe(200);
  });
});

describe('a wrong Content-Length', () => {
  test('does not read the rest as a request when it is too small', async () => {
    const body = Buffer.from(JSON.stringify(world.message()));
    const request = withHeader(world.sendMessage(body), 'content-length', String(body.length - 10));
    const rows = await world.server.rows();
    const wire = await wireTo();
    wire.write(encodeRequest(request));
    // The rest is not even HTTP, and refused at once: then that is the one answer before the end.
    const answer = await wire.answer();
    world.expectRefusal(answer, answer.status === 401 ? 'ERR_AUTH_FAILED' : 'ERR_BAD_REQUEST');
    await wire.ended;
    expect(await world.server.rows()).toEqual(rows);
  });

  test('does nothing when it is too large and the client leaves', async () => {
    const [rows, mark] = [await world.server.rows(), world.server.log.length];
    const wire = await wireTo();
    wire.write(encodeRequest(withHeader(world.sendMessage(), 'content-length', '10000')));
    await waitForCondition(() => world.server.log.length === mark, 'no line before the end');
    wire.socket.end();
    await wire.ended;
    await world.list();
    expect(await world.server.rows()).toEqual(rows);
    expect(readLinesSince(world.server, mark).filter(({ level }) => level > 30)).toEqual([]);
  });

  test.each(['-1', '+5', '0x10', '1e3', '5,5', '1 1', '999999999999999999999', 'five', ''])('%j', async (length) => {
    const answer = await refusedBytes(encodeRequest(withHeader(world.sendMessage(), 'content-length', length)));
    expect(answer.status).toBe(400);
  });
});

/** Sends what is no HTTP: refused as JSON, the connection ends, the server goes on. */
async function refusedBytes(bytes: string | Uint8Array): Promise<Answer> {
  const [rows, mark] = [await world.server.rows(), world.server.log.length];
  const wire = await wireTo();
  wire.write(bytes);
  const answer = await wire.answer();
  world.expectRefusal(answer, 'ERR_BAD_REQUEST');
  world.expectOneLine(mark, 'ERR_BAD_REQUEST');
  expect(answer.headers['connection']).toBe('close');
  await wire.ended;
  expect(await world.server.rows()).toEqual(rows);
  await world.list();
  return answer;
}

describe('malformed HTTP', () => {
  const good = () => encodeRequest(world.sendMessage()).toString('latin1');
  test.each<[string, () => string | Uint8Array]>([
    ['noise', () => Buffer.from(Array.from({ length: 500 }, (_, i) => (i * 131) % 256))],
    ['a TLS greeting', () => Buffer.from('16030100f8010000f40303', 'hex')],
    ['a line of text', () => 'hello\r\n\r\n'],
    ['HTTP/2', () => 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['HTTP/9.9', () => 'GET / HTTP/9.9\r\nHost: a\r\n\r\n'],
    ['an unknown method', () => good().replace('POST', 'STEAL')],
    ['a method in lower case', () => good().replace('POST', 'post')],
    ['no target', () => good().replace('/sendMessage ', '')],
    ['a target with a space', () => good().replace('/sendMessage', '/send Message')],
    ['no Host', () => good().replace(/Host: .*\r\n/, '')],
    ['a header without colon', () => good().replace('Host:', 'nonsense\r\nHost:')],
    ['a header with a space before its colon', () => good().replace('Host:', 'x-bsv-a : 1\r\nHost:')],
    ['a header with a control character', () => good().replace('Host:', 'x-bsv-a: \u0001\r\nHost:')],
    ['a header with a NUL', () => good().replace('Host:', 'x-bsv-a: a\0b\r\nHost:')],
    ['a folded header', () => good().replace('Host:', 'x-bsv-a: 1\r\n 2\r\nHost:')],
    ['a bare carriage return', () => good().replace('Host:', 'x-bsv-a: 1\rx-bsv-b: 2\r\nHost:')],
    ['two lengths', () => good().replace('Host:', 'Content-Length: 5\r\nHost:')],
    ['length and chunks', () => good().replace('Host:', 'Transfer-Encoding: chunked\r\nHost:')],
    ['chunks that are not last', () => good().replace(/Content-Length: \d+/, 'Transfer-Encoding: chunked, gzip')],
    ['an unknown transfer encoding', () => good().replace(/Content-Length: \d+/, 'Transfer-Encoding: zip')],
    ['a transfer encoding hidden by a tab', () => good().replace('Host:', 'Transfer-Encoding\t: chunked\r\nHost:')],
    ['an expectation that nobody knows', () => good().replace('Host:', 'Expect: miracles\r\nHost:')],
  ])('%s', async (_name, bytes) => {
    await refusedBytes(typeof bytes() === 'string' ? Buffer.from(bytes() as string, 'latin1') : bytes());
  });

  test('chunks of an impossible size end the request', async () => {
    const request = withHeader(world.sendMessage(), 'transfer-encoding', 'chunked');
    const head = encodeRequest({ ...request, body: undefined });
    await refusedBytes(Buffer.concat([head, Buffer.from('fffffffffffffffff\r\nabc\r\n')]));
    await refusedBytes(Buffer.concat([head, Buffer.from('zz\r\nabc\r\n')]));
  });

  test.each<[string, (request: WireRequest) => WireRequest]>([
    ['a request line', (request) => ({ ...request, path: `/sendMessage?${'a'.repeat(99_000)}` })],
    ['a header', (request) => withHeader(request, 'x-bsv-large', 'a'.repeat(99_000))],
    ['an auth header', (request) => withHeader(request, 'x-bsv-auth-signature', 'a'.repeat(99_000))],
    ['a header name', (request) => withHeader(request, `x-bsv-${'a'.repeat(99_000)}`, '1')],
    ['headers', (request) => ({ ...request, headers: [...request.headers, ...many(1_100, 'a'.repeat(90))] })],
    ['a cookie', (request) => withHeader(request, 'cookie', 'a=b;'.repeat(25_000))],
  ])('%s above 96 KB', async (_name, enlarge) => {
    expect((await refusedBytes(encodeRequest(enlarge(world.sendMessage())))).status).toBe(431);
  });

  test('reads 180 small headers, and refuses more than 200', async () => {
    const request = (headers: number) => {
      const { headers: own, ...rest } = world.sendMessage();
      return { ...rest, headers: [...own, ...many(headers, '')] };
    };
    await world.expectAccepted(request(180));
    expect((await refusedBytes(encodeRequest(request(201)))).status).toBe(431);
    expect((await refusedBytes(encodeRequest(request(4_000)))).status).toBe(431);
  });
});

describe('content encodings', () => {
  test.each(['gzip', 'GZIP', 'deflate', 'br', 'compress', 'x-gzip', 'identity, gzip', 'nonsense'])(
    '%s',
    async (encoding) => {
      const body = gzipSync(Buffer.from(JSON.stringify(world.message())));
      const request = withHeader(world.sendMessage(body), 'content-encoding', encoding);
      await world.expectRefused(request, 'ERR_UNSUPPORTED_ENCODING');
    },
  );

  test('does not decompress a bomb', async () => {
    const bomb = gzipSync(Buffer.alloc(10_000_000));
    await world.expectRefused(
      withHeader(world.sendMessage(bomb), 'content-encoding', 'gzip'),
      'ERR_UNSUPPORTED_ENCODING',
    );
  });

  test('accepts the encoding "identity"', async () => {
    await world.expectAccepted(withHeader(world.sendMessage(), 'content-encoding', 'identity'));
  });
});

describe('unknown routes and methods', () => {
  const paths = [
    '/',
    '/nothing',
    '/sendMessages',
    '/sendMessage/x',
    '/sendMessage%00',
    '/%zz',
    '/%',
    '/sendMessage%',
    '/%E0%A4%A',
    '/%c0%ae%c0%ae/',
    '/..%2f..%2fetc%2fpasswd',
    '/../../etc/passwd',
    '/.env',
    '/__proto__',
    '/constructor',
    '/healthy',
    '/health/none',
    '/health/live/x',
    '/.well-known/auth/x',
    '/.well-known/%zz',
    '/<script>',
    `/${'a'.repeat(2_047)}`,
    '/?__proto__[a]=1&a[]=2&a=3',
  ];

  test.each(paths.map((path) => [path.slice(0, 60), path]))('%s', async (_label, path) => {
    await world.expectRefused(
      { method: 'POST', path, headers: [['Content-Type', 'application/json']], body: Buffer.from('{}') },
      'UNAUTHORIZED',
    );
    await world.expectRefused({ method: 'GET', path, headers: [] }, 'UNAUTHORIZED');
    await world.expectRefused(world.sender.post(path, {}), 'ERR_NOT_FOUND');
    await world.expectRefused(world.sender.sign({ method: 'GET', path }), 'ERR_NOT_FOUND');
  });

  const routes = ['/sendMessage', '/listMessages', '/acknowledgeMessage'];
  describe.each(routes)('%s', (path) => {
    test.each(['GET', 'PUT', 'PATCH', 'DELETE', 'TRACE', 'PROPFIND', 'SEARCH', 'QUERY'])('%s', async (method) => {
      const body = Buffer.from(JSON.stringify(world.message()));
      const headers: Header[] = [['Content-Type', 'application/json']];
      await world.expectRefused({ method, path, headers, body }, 'UNAUTHORIZED');
      await world.expectRefused(world.sender.sign({ method, path, headers, body }), 'ERR_NOT_FOUND');
    });

    test('answers HEAD without a body and without effect', async () => {
      const rows = await world.server.rows();
      const bare = await world.send({ method: 'HEAD', path, headers: [] });
      expect(bare).toMatchObject({ status: 401, text: '' });
      const signed = await world.send(world.sender.sign({ method: 'HEAD', path }));
      expect(signed).toMatchObject({ status: 404, text: '' });
      expect(signed.headers['content-type']).toMatch(/^application\/json/);
      expect(await world.server.rows()).toEqual(rows);
    });

    test('answers OPTIONS without authentication and without effect', async () => {
      const rows = await world.server.rows();
      const answer = await world.send({
        method: 'OPTIONS',
        path,
        headers: [
          ['Origin', 'https://a.example'],
          ['Access-Control-Request-Method', 'POST'],
          ['Access-Control-Request-Headers', 'x-bsv-auth-signature'],
        ],
      });
      expect(answer.status).toBe(200);
      expect(answer.headers).toMatchObject({
        'access-control-allow-origin': '*',
        'access-control-allow-methods': '*',
        'access-control-allow-headers': '*, Authorization',
      });
      expect(await world.server.rows()).toEqual(rows);
    });
  });

  test('answers OPTIONS *', async () => {
    expect((await world.send({ method: 'OPTIONS', path: '*', headers: [] })).status).toBe(200);
  });

  test('CONNECT ends the connection', async () => {
    const wire = await wireTo();
    wire.write('CONNECT example.org:443 HTTP/1.1\r\nHost: example.org\r\n\r\n');
    await wire.ended;
    await world.list();
  });
});

describe('headers that change the answers of other servers', () => {
  test.each<[string, string]>([
    ['Range', 'bytes=0-1'],
    ['Range', 'bytes=-1'],
    ['If-Range', '"a"'],
    ['If-None-Match', '*'],
    ['If-None-Match', '"a", W/"b"'],
    ['If-Match', '"a"'],
    ['If-Modified-Since', 'Sat, 01 Jan 2050 00:00:00 GMT'],
    ['If-Unmodified-Since', 'Sat, 01 Jan 2000 00:00:00 GMT'],
    ['X-HTTP-Method-Override', 'DELETE'],
    ['X-Forwarded-For', '1.2.3.4, <script>'],
    ['X-Original-URL', '/nothing'],
    ['Accept', 'text/html'],
    ['Accept-Encoding', 'gzip, br'],
    ['TE', 'trailers'],
    ['Host', 'a:b:c'],
  ])('%s: %s', async (name, value) => {
    const messageId = createUniqueId();
    await world.expectAccepted(withHeader(world.sendMessage(world.message({ messageId })), name, value));
    expect(await world.list()).toContainEqual(expect.objectContaining({ messageId }));
    await world.expectAccepted(
      withHeader(world.recipient.post('/listMessages', { messageBox: 'inbox' }), name, value),
      world.recipient,
    );
    const health = await world.send({ method: 'GET', path: '/health/live', headers: [[name, value]] });
    expect(health).toMatchObject({ status: 200, text: '{"status":"alive"}' });
  });
});

describe('clients that do not finish their requests', () => {
  test('an upload that is cut off has no effect', async () => {
    const [rows, mark] = [await world.server.rows(), world.server.log.length];
    for (const encode of [encodeRequest, chunked]) {
      for (const share of [0.3, 0.9, 0.999]) {
        const bytes = encode(world.sendMessage());
        const wire = await wireTo();
        wire.write(bytes.subarray(0, Math.floor(bytes.length * share)));
        wire.destroy();
        await wire.ended;
      }
    }
    await world.list();
    expect(await world.server.rows()).toEqual(rows);
    // A client that ends its side in the middle is answered, because it may still be reading.
    expect(readLinesSince(world.server, mark).filter(({ code }) => code !== 'ERR_BAD_REQUEST')).toEqual([]);
  });

  test('stores the message of a client that leaves before its answer once', async () => {
    const messageId = createUniqueId();
    const mark = world.server.log.length;
    const wire = await wireTo();
    const request = world.sendMessage(world.message({ messageId, messageBox: 'gone' }));
    wire.socket.end(encodeRequest(request));
    await wire.ended;
    expect((await world.list('gone')).map((message) => message.messageId)).toEqual([messageId]);
    expect(readLinesSince(world.server, mark)).toEqual([]);
  });

  test.each<[string, (request: WireRequest) => Buffer]>([
    ['headers that do not end', (request) => encodeRequest(request).subarray(0, 200)],
    ['a body that does not end', (request) => encodeRequest(request).subarray(0, -1)],
    ['chunks that do not end', (request) => chunked(request).subarray(0, -5)],
    [
      'an unsigned body that does not end',
      ({ body }) => encodeRequest({ method: 'POST', path: '/sendMessage', headers: [], body }).subarray(0, -1),
    ],
    [
      'a handshake that does not end',
      ({ body }) => encodeRequest({ method: 'POST', path: '/.well-known/auth', headers: [], body }).subarray(0, -1),
    ],
    ['nothing at all', () => Buffer.alloc(0)],
  ])('a hundred with %s hold nobody up', async (_name, unfinished) => {
    const open = await Promise.all(Array.from({ length: 100 }, () => wireTo()));
    for (const wire of open) wire.write(unfinished(world.sendMessage(padded(MAX_BODY))));
    await world.expectAccepted(world.sendMessage());
    await world.list();
    for (const wire of open) expect(wire.isOver).toBe(false);
  });

  test('unread answers do not delay other clients', async () => {
    const request = world.recipient.post('/listMessages', { messageBox: 'inbox' });
    const deaf = await wireTo();
    deaf.socket.pause();
    for (let i = 0; i < 50; i++)
      deaf.write(encodeRequest(world.recipient.post('/listMessages', { messageBox: 'inbox' })));
    await world.expectAccepted(request, world.recipient);
  });
});

test('unfinished bodies of the usual maximum size do not delay other clients', async () => {
  const usual = await HttpTestBed.start();
  const slow: RawConnection[] = [];
  try {
    for (const head of [
      'POST /sendMessage HTTP/1.1\r\nHost: a\r\nContent-Length: 10485760\r\n\r\n{',
      'POST /sendMessage HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n',
      'POST /.well-known/auth HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n',
    ]) {
      for (let i = 0; i < 60; i++) {
        const wire = await RawConnection.to(usual.server.port);
        slow.push(wire);
        wire.write(head);
      }
      await usual.expectAccepted(usual.sendMessage());
    }
    const session = await usual.sender.client.shakeHands(usual.server.port);
    for (let i = 0; i < 60; i++) {
      const wire = await RawConnection.to(usual.server.port);
      slow.push(wire);
      wire.write(encodeRequest(withHeader(session.post('/sendMessage', '{'), 'content-length', '10485760')));
    }
    await usual.expectAccepted(usual.sendMessage());
  } finally {
    for (const wire of slow) wire.destroy();
    await usual.close();
  }
});

test('answers pipelined requests one after the other', async () => {
  const wire = await wireTo();
  const requests = [world.sendMessage(), world.sendMessage('null'), world.sendMessage('nonsense'), world.sendMessage()];
  wire.write(Buffer.concat(requests.map(encodeRequest)));
  const statuses: number[] = [];
  for (const request of requests) {
    const answer = await wire.answer();
    statuses.push(answer.status);
    expect(answer.headers['x-bsv-auth-request-id']).toBe(getHeader(request, 'x-bsv-auth-request-id'));
  }
  expect(statuses).toEqual([200, 400, 400, 200]);
});

test('answers health requests of any method without authentication', async () => {
  for (const method of ['GET', 'POST', 'DELETE']) {
    const answer = await sendRaw(world.server.port, { method, path: '/health/ready?x=%zz', headers: [] });
    expect(answer.status).toBe(200);
    expect(JSON.parse(answer.text)).toEqual({ status: 'ready', checks: { database: 'ok' } });
  }
});

function many(count: number, value: string): Header[] {
  return Array.from({ length: count }, (_, i): Header => [`x-other-${i}`, value]);
}
