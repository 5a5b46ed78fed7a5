import { Peer, type Transport } from '@bsv/sdk';
import {
  type AuthMessage,
  createSlowWallet,
  Gate,
  type GeneralMessage,
  type InitialRequest,
  SessionTable,
  StrictPeer,
  waitUntil,
} from '../src/index.js';
import { alterMessage, StubServer } from './support/stub-server.js';
import { createParty } from './support/wallets.js';

describe('a peer', () => {
  const MINUTE = 60_000;

  /** Creates a client, and a server that answers its handshakes unless the test does so itself. */
  function pair({ answers = true } = {}) {
    const server = new StubServer();
    const client = createParty();
    const clock = { now: 1_000 * MINUTE };
    const sent: AuthMessage[] = [];
    const heard: string[] = [];
    const gate = new Gate();
    const peer: StrictPeer = new StrictPeer({
      wallet: createSlowWallet(client.wallet, gate.pass),
      sessions: new SessionTable(() => clock.now),
      transmit: async (message) => {
        sent.push(message);
        if (answers && message.messageType === 'initialRequest') await peer.receive(await server.answer(message));
      },
      onPayload: async (_sender, payload) => void heard.push(Buffer.from(payload).toString()),
    });
    const requests = () =>
      sent.filter((message): message is InitialRequest => message.messageType === 'initialRequest');
    const generals = () => sent.filter((message): message is GeneralMessage => message.messageType === 'general');
    const say = (clientNonce: string, text = 'hello') => server.say(client.key, clientNonce, Buffer.from(text));
    /** Makes a handshake. @returns the client's nonce of the session */
    const begin = async () => {
      await peer.send(Buffer.from('first'));
      return (requests().at(-1) as InitialRequest).initialNonce;
    };
    return { server, client, peer, sent, heard, clock, gate, requests, generals, say, begin };
  }

  test('communicates with the Peer of the SDK, in both directions', async () => {
    const [client, other] = [createParty(), createParty()];
    let deliver: (message: AuthMessage) => Promise<void> = async () => {};
    const heard: string[] = [];
    const strict: StrictPeer = new StrictPeer({
      wallet: client.wallet,
      transmit: (message) =>
        deliver(message.messageType === 'general' ? { ...message, payload: [...message.payload] } : message),
      onPayload: async (_sender, payload) => void heard.push(Buffer.from(payload).toString()),
    });
    const transport: Transport = {
      send: async (message) => strict.receive(JSON.parse(JSON.stringify(message))),
      onData: async (callback) => {
        deliver = async (message) => callback(message as never);
      },
    };
    const peer = new Peer(other.wallet, transport);
    peer.listenForGeneralMessages((sender, payload) => {
      heard.push(`${sender === client.key}: ${Buffer.from(payload).toString()}`);
      void peer.toPeer([...Buffer.from('welcome')], client.key);
    });
    await strict.send(Buffer.from('hello'));
    await waitUntil('both have heard', () => heard.length === 2);
    expect(heard).toEqual(['true: hello', 'welcome']);
  });

  test('makes a handshake for each of its first concurrent calls, and none later', async () => {
    const { peer, begin, requests, generals } = pair();
    await Promise.all([1, 2, 3].map((n) => peer.send(Buffer.from(`number ${n}`))));
    expect(requests()).toHaveLength(3);
    await begin();
    expect([requests().length, generals().length]).toEqual([3, 4]);
  });

  test('accepts each message in its session once', async () => {
    const { peer, begin, say, heard } = pair();
    const message = await say(await begin());
    await peer.receive(message);
    expect(heard).toEqual(['hello']);
    await expect(peer.receive(message)).rejects.toMatchObject({
      rule: '2',
      detail: expect.stringContaining('repeated'),
    });
  });

  test.each([
    ['another payload', { payload: [1] }, 'signature'],
    ['another nonce of the message', { nonce: Buffer.alloc(32).toString('base64') }, 'signature'],
    ['another identity', { identityKey: createParty().key }, 'another identity'],
    ['a nonce that the client has never made', { yourNonce: Buffer.alloc(48).toString('base64') }, 'never made'],
  ])('gives up at a message with %s', async (_what, fields, text) => {
    const { peer, begin, say, heard } = pair();
    const message = await say(await begin());
    await expect(peer.receive(alterMessage(message, fields))).rejects.toMatchObject({
      rule: '2',
      detail: expect.stringContaining(text),
    });
    expect(heard).toEqual([]);
    await peer.receive(message);
  });

  test('gives up at an initialResponse that is signed wrongly, repeated, or of another identity', async () => {
    const { peer, server, requests, begin } = pair({ answers: false });
    const first = begin();
    await waitUntil('a handshake has begun', () => requests().length === 1);
    const answer = await server.answer(requests()[0] as InitialRequest);
    await expect(peer.receive(alterMessage(answer, { signature: [1, 2, 3] }))).rejects.toMatchObject({ rule: '2' });
    await peer.receive(answer);
    await first;
    await expect(peer.receive(answer)).rejects.toMatchObject({ rule: '2' });

    const pinned = peer.send(Buffer.from('x'), createParty().key);
    await waitUntil('another handshake has begun', () => requests().length === 2);
    const wrong = await server.answer(requests()[1] as InitialRequest);
    await expect(peer.receive(wrong)).rejects.toMatchObject({ rule: '2', detail: expect.stringContaining('identity') });
    peer.abandon(new Error('the test is over'));
    await expect(pinned).rejects.toThrow('the test is over');
  });

  test('names the rule when its handshake is not answered', async () => {
    const client = createParty();
    const peer = new StrictPeer({
      wallet: client.wallet,
      transmit: async () => {},
      onPayload: async () => {},
      handshakeTimeoutMs: 1,
    });
    await expect(peer.send(Buffer.from('hello'))).rejects.toMatchObject({ rule: '9.13' });
  });

  test('gives up at a message in a session that it has not used for 30 minutes', async () => {
    const { peer, begin, say, clock, heard } = pair();
    const nonce = await begin();
    clock.now += 29 * MINUTE;
    await peer.receive(await say(nonce));
    clock.now += 29 * MINUTE;
    await peer.receive(await say(nonce));
    clock.now += 30 * MINUTE;
    await expect(peer.receive(await say(nonce))).rejects.toMatchObject({ rule: '9.12' });
    expect(heard).toHaveLength(2);
  });

  test('answers a handshake of the server, and uses its session after a message in it', async () => {
    const { peer, server, sent, begin, say, generals, requests, clock } = pair();
    await begin();
    const request = server.ask();
    await peer.receive(request);
    const answer = sent.at(-1);
    if (answer?.messageType !== 'initialResponse') throw new Error('there is no answer');
    expect(answer).toMatchObject({ yourNonce: request.initialNonce });
    // The server has not signed in the new session yet, so the authenticated session is used.
    await begin();
    expect(generals().at(-1)?.yourNonce).not.toBe(request.initialNonce);
    clock.now += 1;
    await peer.receive(await say(answer.initialNonce));
    await begin();
    expect(generals().at(-1)?.yourNonce).toBe(request.initialNonce);
    expect(requests()).toHaveLength(1);
    await expect(peer.receive(request)).rejects.toMatchObject({ rule: '2' });
  });

  test('handles several messages at once, as fast as its wallet allows', async () => {
    const { peer, begin, say, heard, gate } = pair();
    const nonce = await begin();
    const messages = await Promise.all(['one', 'two'].map((text) => say(nonce, text)));
    gate.close();
    const received = messages.map((message) => peer.receive(message));
    await waitUntil('both wait for the wallet', () => gate.held === 2);
    expect(heard).toEqual([]);
    gate.open();
    await Promise.all(received);
    expect(heard).toEqual(['one', 'two']);
  });
});
