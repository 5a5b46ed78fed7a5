import { once } from 'node:events';
import { MessageBoxClient } from '@bsv/message-box-client';
import { AuthFetch, PrivateKey, ProtoWallet, type WalletInterface } from '@bsv/sdk';
import {
  encodeRequest,
  type Header,
  RawClient,
  RawConnection,
  RawSocket,
  sendRaw,
  type WireRequest,
} from '@messagebox/test-support/raw-client';
import { createUniqueId, HttpTestBed } from './refusals.ts';

/** The paths that clients request when their host ends with a slash. */
describe.each([
  ['', ''],
  ['/box', ''],
  ['/box', '/box'],
])('below ROUTING_PREFIX %p, with a client at %p', (prefix, at) => {
  const admin = new RawClient();
  let world: HttpTestBed;
  beforeAll(async () => {
    world = await HttpTestBed.start({
      ROUTING_PREFIX: prefix,
      ADMIN_IDENTITY_KEYS: admin.identityKey,
      NETWORK: 'local',
    });
  });
  afterAll(() => world.close());

  const signed = async (request: WireRequest) => {
    const answer = await sendRaw(world.server.port, request);
    expect({ request: request.path, signed: world.sender.isSigned(request, answer) }).toEqual({
      request: request.path,
      signed: true,
    });
    return { status: answer.status, body: JSON.parse(answer.text) as Record<string, unknown> };
  };

  if (at === prefix) {
    test('the real client sends, lists and acknowledges', async () => {
      const host = `${world.server.url}${at}/`;
      const wallet = new ProtoWallet(PrivateKey.fromRandom()) as unknown as WalletInterface;
      const client = new MessageBoxClient({ host, walletClient: wallet, networkPreset: 'local' });
      const { publicKey } = await wallet.getPublicKey({ identityKey: true });
      const sent = await client.sendMessage(
        { recipient: publicKey, messageBox: 'inbox', body: 'hello', skipEncryption: true },
        host,
      );
      expect(sent.status).toBe('success');
      const messages = await client.listMessages({ messageBox: 'inbox', host });
      expect(messages).toEqual([expect.objectContaining({ messageId: sent.messageId, body: 'hello' })]);
      await client.acknowledgeMessage({ messageIds: [sent.messageId], host });
      expect(await client.listMessages({ messageBox: 'inbox', host })).toEqual([]);
      await client.disconnectWebSocket();
    });

    test('AuthFetch verifies the answers', async () => {
      const fetch = new AuthFetch(new ProtoWallet(PrivateKey.fromRandom()) as unknown as WalletInterface);
      const response = await fetch.fetch(`${world.server.url}${at}//permissions/list?limit=5`, { method: 'GET' });
      expect(response.status).toBe(200);
      expect(await response.json()).toMatchObject({ status: 'success', permissions: [] });
    });

    test.each(['//', '///'])('accepts %s in front of a route', async (slashes) => {
      const path = (route: string) => `${at}${slashes}${route}`;
      const messageId = createUniqueId();
      expect((await signed(world.sender.post(path('sendMessage'), world.message({ messageId })))).status).toBe(200);
      const get = await signed(world.sender.sign({ method: 'GET', path: path('permissions/get?messageBox=a//b') }));
      expect(get).toMatchObject({ status: 200, body: { status: 'success' } });
      const listed = world.recipient.post(path('listMessages'), { messageBox: 'inbox' });
      expect((await sendRaw(world.server.port, listed)).text).toContain(messageId);
    });

    test('verifies the path as it was sent', async () => {
      const request = world.sender.post(`${at}/sendMessage`, world.message());
      const moved = await sendRaw(world.server.port, { ...request, path: `${at}//sendMessage` });
      expect(moved.status).toBe(401);
      const back = world.sender.post(`${at}//sendMessage`, world.message());
      expect((await sendRaw(world.server.port, { ...back, path: `${at}/sendMessage` })).status).toBe(401);
    });

    test('refuses a repeated request in every spelling of its path', async () => {
      const request = world.sender.post(`${at}//sendMessage`, world.message());
      expect((await sendRaw(world.server.port, request)).status).toBe(200);
      expect((await sendRaw(world.server.port, request)).status).toBe(401);
    });

    test('routes for operators need an operator in every spelling', async () => {
      for (const path of [`${at}//admin/fees`, `${at}/admin//fees`, `/${at}//admin///fees`]) {
        expect((await sendRaw(world.server.port, { method: 'GET', path, headers: [] })).status).toBe(401);
        const refused = await signed(world.sender.sign({ method: 'GET', path }));
        expect(refused).toMatchObject({ status: 403, body: { code: 'ERR_NOT_ADMIN' } });
        const session = await admin.shakeHands(world.server.port);
        expect((await sendRaw(world.server.port, session.sign({ method: 'GET', path }))).status).toBe(200);
      }
      const migrate = await sendRaw(world.server.port, {
        method: 'POST',
        path: `${at}//migrate`,
        headers: [['Content-Type', 'application/json']],
        body: Buffer.from('{"migratekey":"12345678901"}'),
      });
      expect(migrate).toMatchObject({ status: 401 });
    });

    test('live clients connect by websocket and by long polling', async () => {
      for (const transports of [['websocket'], ['polling', 'websocket']]) {
        const socket = await RawSocket.proven(`${world.server.url}${at}/`, world.sender.client, transports);
        expect(socket.connected).toBe(true);
        socket.close();
      }
      const path = `${at}//socket.io//?EIO=4&transport=polling`;
      expect(await sendRaw(world.server.port, { method: 'GET', path, headers: [] })).toMatchObject({ status: 200 });
      const wire = await RawConnection.to(world.server.port);
      const upgrade: Header[] = [
        ['Connection', 'Upgrade'],
        ['Upgrade', 'websocket'],
        ['Sec-WebSocket-Version', '13'],
        ['Sec-WebSocket-Key', 'dGhlIHNhbXBsZSBub25jZQ=='],
      ];
      const [answer] = await Promise.all([
        once(wire.socket, 'data'),
        wire.write(
          encodeRequest({ method: 'GET', path: `${at}//socket.io/?EIO=4&transport=websocket`, headers: upgrade }),
        ),
      ]);
      expect(String(answer)).toMatch(/^HTTP\/1\.1 101 /);
      wire.destroy();
    });
  } else {
    test('routes exist only below the prefix', async () => {
      for (const path of ['//sendMessage', '//admin//fees']) {
        const answer = await sendRaw(world.server.port, world.sender.post(path, '{}'));
        expect(answer.status).toBe(404);
      }
    });
  }

  test('routes at the root are found there', async () => {
    const { port } = world.server;
    const health = await sendRaw(port, { method: 'GET', path: '//health//live', headers: [] });
    expect(health).toMatchObject({ status: 200, text: '{"status":"alive"}' });
    const handshake = await sendRaw(port, {
      method: 'POST',
      path: '//.well-known/auth',
      headers: [['Content-Type', 'application/json']],
      body: Buffer.from(JSON.stringify(world.sender.client.initialRequest())),
    });
    expect(handshake.status).toBe(200);
    const lookup = await sendRaw(port, {
      method: 'POST',
      path: '//lookup',
      headers: [['Content-Type', 'application/json']],
      body: Buffer.from('{"service":"ls_messagebox","query":{}}'),
    });
    expect(lookup).toMatchObject({ status: 200 });
    const submit = await sendRaw(port, { method: 'POST', path: '//submit', headers: [], body: Buffer.from('x') });
    expect(submit.text).toContain('ERR_INVALID_TOPICS');
  });

  test('metrics count all spellings under one route, without labels from clients', async () => {
    for (const path of [`${prefix}//sendMessage`, '//made//up', '//health//ready']) {
      await sendRaw(world.server.port, world.sender.post(path, '{}'));
    }
    const text = await world.server.metrics();
    expect(text).toMatch(/route="\/sendMessage"/);
    expect(text).toMatch(/route="\/health"/);
    expect(text).not.toMatch(/="[^"]*\/\/|made/);
  });
});
