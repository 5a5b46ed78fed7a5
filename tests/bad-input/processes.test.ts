import { createAuthenticator, loadCurve } from '@messagebox/brc103';
import {
  encodeRequest,
  type Header,
  RawClient,
  RawSocket,
  type Session,
  sendRaw,
  type WireRequest,
  withHeader,
} from '@messagebox/test-support/raw-client';
import knex, { type Knex } from 'knex';
import { type Deployment, deployScaled } from '../acceptance/deployments.ts';
import { describeScaled } from '../acceptance/describe-scaled.ts';
import { createUniqueId, HttpTestBed, SECRET } from './refusals.ts';
import type { LogLine, Rows } from './server.ts';

/** The key cases once more, against builds in processes of their own, with MySQL and Redis, two of each kind. */
describeScaled('bad input to several processes', () => {
  const DEEP = 100_000;
  const deep = '['.repeat(DEEP) + ']'.repeat(DEEP);
  let deployment: Deployment;
  let database: Knex;
  let world: HttpTestBed;
  let ports: readonly [number, number];
  let refusals = 0;
  const sockets: RawSocket[] = [];

  beforeAll(async () => {
    deployment = await deployScaled({
      MAX_BODY_BYTES: '1000000',
      LIVE_MAX_BODY: '100000',
      LOGGING_ENABLED: 'true',
      INTERNAL_HOST: '127.0.0.1',
      INTERNAL_PORT: '0',
    });
    database = knex({ client: 'mysql2', connection: deployment.databaseUrl ?? '' });
    const [first, second] = deployment.apis;
    ports = [Number(new URL(first).port), Number(new URL(second).port)];
    const { listening, port } = deployment.processes.apis[0];
    world = await HttpTestBed.create({
      url: first,
      port,
      identityKey: String(listening['identityKey']),
      privateKey: Buffer.from(String(deployment.env['SERVER_PRIVATE_KEY']), 'hex'),
      log: [],
      rows,
      openSockets: () => 0,
      openConnections: () => 0,
      unprovenSockets: async () => 0,
      metrics: async () => '',
      close: () => deployment.close(),
    });
  });
  afterEach(() => {
    for (const socket of sockets.splice(0)) socket.close();
  });
  afterAll(async () => {
    await database.destroy();
    await deployment.close();
  });

  async function rows(): Promise<Rows> {
    const [[found]] = (await database.raw(
      `SELECT COUNT(*) AS messages, COALESCE(MAX(id), 0) AS newest, COALESCE(SUM(octet_length(body)), 0) AS bytes,
        (SELECT COUNT(*) FROM messageBox) AS boxes FROM messages`,
    )) as [[Rows]];
    return found;
  }

  /** Refused by both instances, without a trace in the database that they share. */
  async function refused(request: () => WireRequest | Uint8Array, code: string): Promise<void> {
    const before = await rows();
    for (const port of ports) {
      world.expectRefusal(await sendRaw(port, request()), code);
      refusals += 1;
    }
    expect(await rows()).toEqual(before);
    await world.list();
  }

  const nonceOf = (privateKey: Uint8Array, minutesAgo: number) =>
    createAuthenticator({
      privateKey,
      curve: loadCurve(),
      now: () => Date.now() - minutesAgo * 60_000,
    }).answerHandshake({
      ...world.sender.client.initialRequest(),
      initialNonce: world.sender.clientNonce,
    }).response.initialNonce;
  const under = (nonce: string) => world.sender.under(nonce).post('/sendMessage', world.message());
  const withField = (name: string, value: unknown) => world.sendMessage(world.message({ [name]: value }));
  const tampered = (request: WireRequest) => ({
    ...request,
    body: Buffer.from(
      Buffer.from(request.body ?? '')
        .toString()
        .replace(SECRET, 'changed'),
    ),
  });

  test.each<[string, () => WireRequest | Uint8Array, string]>([
    ['no auth headers', () => ({ ...world.sendMessage(), headers: [] }), 'UNAUTHORIZED'],
    ['an auth header twice', () => withHeader(world.sendMessage(), 'x-bsv-auth-nonce', 'a', 'b'), 'ERR_AUTH_MALFORMED'],
    [
      'an auth header of 10 KB',
      () => withHeader(world.sendMessage(), 'x-bsv-auth-signature', 'a'.repeat(10_240)),
      'ERR_AUTH_MALFORMED',
    ],
    ['"self"', () => withHeader(world.sendMessage(), 'x-bsv-auth-identity-key', 'self'), 'ERR_AUTH_MALFORMED'],
    [
      'another identity',
      () => withHeader(world.sendMessage(), 'x-bsv-auth-identity-key', world.recipient.client.identityKey),
      'ERR_AUTH_FAILED',
    ],
    ['a changed body', () => tampered(world.sendMessage()), 'ERR_AUTH_FAILED'],
    ['a signature for another route', () => ({ ...world.sendMessage(), path: '/listMessages' }), 'ERR_AUTH_FAILED'],
    ["another server's nonce", () => under(nonceOf(new RawClient().privateKey, 0)), 'ERR_AUTH_FAILED'],
    ['an old nonce', () => under(nonceOf(world.server.privateKey, 61)), 'ERR_AUTH_FAILED'],
    ['no JSON', () => world.sendMessage(`{"message":"${SECRET}`), 'ERR_INVALID_JSON'],
    ['invalid UTF-8', () => world.sendMessage(Buffer.of(0x22, 0xff, 0x22)), 'ERR_INVALID_JSON'],
    ['deep JSON', () => world.sendMessage(deep), 'ERR_INVALID_JSON'],
    [
      'a deep body',
      () => world.sendMessage(JSON.stringify(world.message({ body: '@' })).replace('"@"', deep)),
      'ERR_INVALID_JSON',
    ],
    ['__proto__', () => world.sendMessage('{"__proto__":{"message":{}}}'), 'ERR_MESSAGE_REQUIRED'],
    ['a NUL in a name', () => withField('messageBox', 'in\0box'), 'ERR_INVALID_MESSAGEBOX'],
    ['half a pair in a name', () => withField('messageId', 'id\ud800'), 'ERR_INVALID_MESSAGEID'],
    ['a box of 256', () => withField('messageBox', 'b'.repeat(256)), 'ERR_INVALID_MESSAGEBOX'],
    ['an id of 256', () => withField('messageId', '\u{1f600}'.repeat(256)), 'ERR_INVALID_MESSAGEID'],
    ['a recipient off the curve', () => withField('recipient', `02${'ff'.repeat(32)}`), 'ERR_INVALID_RECIPIENT_KEY'],
    [
      '101 recipients',
      () => withField('recipient', Array(101).fill(world.recipient.client.identityKey)),
      'ERR_TOO_MANY_RECIPIENTS',
    ],
    ['a large body', () => withField('body', 'b'.repeat(1_000_000)), 'ERR_BODY_TOO_LARGE'],
    [
      'a compressed body',
      () => withHeader(world.sendMessage(), 'content-encoding', 'gzip'),
      'ERR_UNSUPPORTED_ENCODING',
    ],
    ['an unknown route', () => world.sender.post('/nothing', {}), 'ERR_NOT_FOUND'],
    ['no HTTP', () => Buffer.from('hello\r\n\r\n'), 'ERR_BAD_REQUEST'],
    [
      'large headers',
      () => encodeRequest(withHeader(world.sendMessage(), 'x-large', 'a'.repeat(99_000))),
      'ERR_BAD_REQUEST',
    ],
  ])('%s', async (_name, request, code) => {
    await refused(request, code);
  });

  test('refuses at one instance what another has accepted, even after the message was acknowledged', async () => {
    const messageId = createUniqueId();
    const request = world.sendMessage(world.message({ messageId, messageBox: 'once' }));
    expect((await sendRaw(ports[0], request)).status).toBe(200);
    for (const port of [ports[1], ports[0]]) world.expectRefusal(await sendRaw(port, request), 'ERR_AUTH_FAILED');
    const acknowledge = world.recipient.post('/acknowledgeMessage', { messageIds: [messageId] });
    expect((await sendRaw(ports[1], acknowledge)).status).toBe(200);
    for (const port of ports) world.expectRefusal(await sendRaw(port, request), 'ERR_AUTH_FAILED');
    refusals += 4;
    expect(await world.list('once')).toEqual([]);
  });

  test('accepts the same request at both instances at once only once', async () => {
    const request = world.sendMessage(world.message({ messageBox: 'race' }));
    const answers = await Promise.all([0, 1, 0, 1, 0, 1].map((i) => sendRaw(ports[i] ?? 0, request)));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 401, 401, 401, 401, 401]);
    refusals += 5;
    expect(await world.list('race')).toHaveLength(1);
  });

  test('names that a collation would treat as equal are different, and none is cut', async () => {
    const long = '\u{1f600}'.repeat(254);
    const names = [
      'n',
      'N',
      'n ',
      ' n',
      '\u00f1',
      'n\u0303',
      '\uff4e',
      'n\u200b',
      '\u{1f600}',
      '\u{1f601}',
      `${long}a`,
      `${long}b`,
    ];
    for (const name of names) {
      const message = world.message({ messageBox: name, messageId: name, body: `for ${name}` });
      expect((await world.send(world.sendMessage(message))).status).toBe(200);
    }
    for (const name of names) {
      expect(await world.list(name)).toEqual([expect.objectContaining({ messageId: name, body: `for ${name}` })]);
    }
    expect((await world.send(world.recipient.post('/acknowledgeMessage', { messageIds: ['n'] }))).status).toBe(200);
    expect(await world.list('n')).toEqual([]);
    for (const name of names.slice(1)) expect(await world.list(name)).toHaveLength(1);
  });

  test('a body of NULs, astral characters and quotes comes back as it was sent', async () => {
    const body = `\0\u{1f600}'"\\%_\u2028'); DROP TABLE messages; --`;
    expect((await world.send(world.sendMessage(world.message({ messageBox: 'odd', body })))).status).toBe(200);
    expect(await world.list('odd')).toMatchObject([{ body }]);
  });

  test('a recipient in upper case is the same recipient', async () => {
    const recipient = world.recipient.client.identityKey.toUpperCase();
    expect((await world.send(world.sendMessage(world.message({ recipient, messageBox: 'upper' })))).status).toBe(200);
    expect(await world.list('upper')).toHaveLength(1);
  });

  describe('sockets', () => {
    const room = (box = 'live') => `${world.recipient.client.identityKey}-${box}`;

    async function open(i: 0 | 1, client?: RawClient, transports?: string[]): Promise<RawSocket> {
      const url = deployment.realtimes[i];
      const socket = await (client ? RawSocket.proven(url, client, transports) : RawSocket.open(url, transports));
      sockets.push(socket);
      return socket;
    }

    test('invalid frames, before and after the handshake', async () => {
      const before = await rows();
      const frames = [
        null,
        7,
        'text',
        [],
        {},
        Buffer.from('a'),
        { version: '0.2' },
        { version: '0.1' },
        Array(5_000).fill(7),
      ];
      for (const i of [0, 1] as const) {
        for (const socket of [await open(i), await open(i, world.sender.client)]) {
          for (const frame of frames) {
            socket.send(frame);
            await socket.waitFor('authenticationFailed');
            refusals += 1;
          }
          socket.packet(`2["authMessage",${'['.repeat(20_000)}${']'.repeat(20_000)}]`);
          await socket.waitFor('authenticationFailed');
          socket.io.emit('sendMessage', { roomId: room(), message: { messageId: 'a', body: SECRET } });
          await socket.waitFor('authenticationFailed');
          refusals += 2;
          expect(socket.received).toEqual([]);
        }
      }
      expect(await rows()).toEqual(before);
    });

    test('a frame that was captured on one instance has no effect on another', async () => {
      const victim = await open(0, world.sender.client);
      const session = victim.session as Session;
      const before = await rows();
      const thief = await open(1);
      thief.send(
        session.event('sendMessage', { roomId: room(), message: { messageId: createUniqueId(), body: SECRET } }),
      );
      expect((await thief.waitFor('authMessage')).data).toMatchObject({ messageType: 'initialRequest' });
      thief.send({ ...session.event('x'), yourNonce: session.clientNonce });
      await thief.waitFor('authenticationFailed');
      refusals += 1;
      expect(await rows()).toEqual(before);
      expect(await world.list('live')).toEqual([]);
    });

    test('refuses the room of another identity on each instance, and sends none of its messages', async () => {
      const [eavesdropper, listener] = [await open(1, world.sender.client), await open(0, world.recipient.client)];
      eavesdropper.event('joinRoom', room());
      await eavesdropper.waitFor('joinFailed');
      refusals += 1;
      listener.event('joinRoom', room());
      await listener.waitFor('joinedRoom');
      const message = world.message({ messageBox: 'live' });
      expect((await sendRaw(ports[1], world.sendMessage(message))).status).toBe(200);
      expect(await listener.waitFor(`sendMessage-${room()}`)).toMatchObject({
        data: { messageId: message.message['messageId'], body: SECRET },
      });
      expect(eavesdropper.received).toEqual([]);
    });

    test.each<[string, Record<string, unknown>, string]>([
      ['a body that is too large', { body: 'b'.repeat(100_001) }, 'ERR_MESSAGE_TOO_LARGE'],
      ['another recipient', { recipient: new RawClient().identityKey }, 'ERR_INVALID_RECIPIENT_KEY'],
      ['no body', { body: null }, 'ERR_INVALID_MESSAGE_BODY'],
    ])('refuses a send with %s', async (_name, fields, code) => {
      const before = await rows();
      const socket = await open(1, world.sender.client);
      const messageId = createUniqueId();
      socket.event('sendMessage', { roomId: room(), message: { messageId, body: SECRET, ...fields } });
      const ack = await socket.waitFor(`sendMessageAck-${room()}`);
      expect(ack).toMatchObject({ signed: true, data: { status: 'error', code, messageId } });
      refusals += 1;
      expect(await rows()).toEqual(before);
    });

    test('refuses sends beyond the limit of unfinished ones, with ids of deep JSON', async () => {
      const socket = await open(0, new RawClient());
      const { session } = socket;
      const id = '['.repeat(120) + ']'.repeat(120);
      const count = 560;
      for (let i = 0; i < count; i++) {
        const data = `{"roomId":"${room('flood')}","message":{"messageId":${i < 520 ? `"${createUniqueId()}"` : id},"body":"b"}}`;
        socket.send(session?.frame(Buffer.from(`{"eventName":"sendMessage","data":${data}}`)));
      }
      const codes = new Set<unknown>();
      for (let i = 0; i < count; i++) {
        const { status, code } = (await socket.waitFor(`sendMessageAck-${room('flood')}`)).data as Record<
          string,
          unknown
        >;
        if (status === 'error') refusals += 1;
        codes.add(code);
      }
      codes.delete(undefined);
      codes.delete('ERR_TOO_MANY_REQUESTS');
      expect([...codes].filter((code) => code !== 'ERR_INVALID_MESSAGEID')).toEqual([]);
    });

    test('the 33rd refused frame ends the connection', async () => {
      const socket = await open(0);
      for (let i = 0; i < 33; i++) socket.send(null);
      expect(await socket.closed).toBe('io server disconnect');
      refusals += 33;
    });

    test.each(['/', '/sendMessage', '/nothing', '/health/none'])('%s does not exist', async (path) => {
      for (const { port } of deployment.processes.realtimes) {
        const answer = await sendRaw(port, { method: 'POST', path, headers: [], body: Buffer.from('{}') });
        world.expectRefusal(answer, 'ERR_NOT_FOUND');
        refusals += 1;
      }
    });
  });

  test('ignores offers of HTTP/2 at both ports of realtime, and when a poll is forwarded', async () => {
    const offer: Header[] = [
      ['Connection', 'Upgrade, HTTP2-Settings'],
      ['Upgrade', 'h2c'],
      ['HTTP2-Settings', 'AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA'],
    ];
    const get = (path: string, headers = offer): WireRequest => ({ method: 'GET', path, headers });
    const { realtimes } = deployment.processes;
    for (const { port, waitForLog } of realtimes) {
      const { url } = JSON.parse(await waitForLog('metrics and health for operators')) as { url: string };
      for (const at of [port, Number(new URL(url).port)]) {
        const answer = await sendRaw(at, get('/health/live'));
        expect(answer).toMatchObject({ status: 200, text: '{"status":"alive"}' });
        const websocket: Header[] = [
          ['Connection', 'Upgrade'],
          ['Upgrade', 'websocket'],
        ];
        expect((await sendRaw(at, get('/health/live', websocket))).status).toBe(200);
      }
    }
    const [holder, other] = realtimes;
    const opened = await sendRaw(holder.port, get('/socket.io/?EIO=4&transport=polling'));
    const { sid } = JSON.parse(opened.text.slice(1)) as { sid: string };
    const path = `//socket.io/?EIO=4&transport=polling&sid=${sid}`;
    const posted = await sendRaw(other.port, { method: 'POST', path, headers: offer, body: Buffer.from('1') });
    expect(posted).toMatchObject({ status: 200, text: 'ok' });
  });

  test('at the end each process still runs, has logged one line for each refusal and no secret, and stops in order', async () => {
    const services = [...deployment.processes.apis, ...deployment.processes.realtimes];
    for (const { url } of services) expect((await fetch(`${url}/health/ready`)).status).toBe(200);
    expect(await Promise.all(services.map((service) => service.stop()))).toEqual([0, 0, 0, 0]);
    const text = services.flatMap(({ logs }) => logs).filter((line) => line.trim() !== '');
    const lines = text.map((line) => JSON.parse(line) as LogLine);
    expect(lines.filter(({ level }) => level > 30)).toEqual([]);
    expect(lines.filter(({ level, msg }) => level === 30 && msg.endsWith(' refused'))).toHaveLength(refusals);
    for (const secret of [
      SECRET,
      deployment.env['SERVER_PRIVATE_KEY'],
      world.sender.serverNonce,
      world.sender.clientNonce,
    ]) {
      expect(text.join('')).not.toContain(secret);
    }
  });
});
