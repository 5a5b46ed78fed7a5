import { randomBytes } from 'node:crypto';
import { RawClient } from '@messagebox/test-support/raw-client';
import { deployStandalone } from '../acceptance/deployments.ts';
import { HttpCaller } from './honest/http-caller.ts';
import type { Endpoint } from './wire/endpoint.ts';
import { HttpConnection, shakeHands } from './wire/http-wire.ts';
import { WebsocketConnection } from './wire/websocket-wire.ts';

/** Many honest people behind one address, and one busy sender, are never refused. */
const CLIENTS = 500;
const BATCH_PER_SECOND = 500;
/** The long form: TEST_HOSTILE_SECONDS=60. */
const BATCH_SECONDS = Number(process.env['TEST_HOSTILE_SECONDS'] ?? 5);
const AT_ONCE = 16;
/** Recipients acknowledge what they got in portions of so many. */
const PORTION = 50;

let close: () => Promise<void>;
let endpoint: Endpoint;
beforeAll(async () => {
  const deployment = await deployStandalone();
  endpoint = { host: '127.0.0.1', port: deployment.processes.apis[0].port };
  close = () => deployment.close();
});
afterAll(() => close());

test('500 clients behind one address reconnect at once, and each is served at the first try', async () => {
  const clients = Array.from({ length: CLIENTS }, () => new RawClient());
  const connect = async (client: RawClient) => {
    const wire = await HttpConnection.open(endpoint);
    const session = await shakeHands(wire, client);
    const socket = await WebsocketConnection.proven(endpoint, client);
    const joined = new Promise<void>((resolve, reject) => {
      socket.onEvent = ({ eventName, data }) => {
        if (eventName === 'joinedRoom') resolve();
        if (eventName === 'joinFailed') reject(new Error(JSON.stringify(data)));
      };
      void socket.ended.then(() => reject(new Error('the socket was ended')));
    });
    socket.event('joinRoom', `${client.identityKey}-inbox`);
    await joined;
    const { status } = await wire.exchange(session.post('/listMessages', { messageBox: 'inbox' }));
    return { status, socket, wire };
  };
  for (let round = 0; round < 2; round++) {
    const served = await Promise.all(clients.map(connect));
    expect(served.filter(({ status }) => status !== 200)).toHaveLength(0);
    expect(served.filter(({ socket }) => !socket.isOpen)).toHaveLength(0);
    // All at once, as when the network behind them goes away for a moment; the second round is the return.
    for (const { socket, wire } of served) {
      socket.destroy();
      wire.destroy();
    }
  }
}, 120_000);

test(
  `a batch job sends 500 messages a second as one identity for ${BATCH_SECONDS} s, and none is refused`,
  async () => {
    const sender = new HttpCaller([endpoint], new RawClient());
    const recipients = Array.from({ length: 100 }, () => ({
      caller: new HttpCaller([endpoint], new RawClient()),
      unread: [] as string[],
    }));
    const total = BATCH_PER_SECOND * BATCH_SECONDS;
    const startedAt = performance.now();
    let next = 0;
    const refused: string[] = [];
    const note = (error: unknown) => void refused.push(String(error));
    const work = async () => {
      while (next < total) {
        const i = next;
        next += 1;
        const dueIn = (i / BATCH_PER_SECOND) * 1_000 - (performance.now() - startedAt);
        if (dueIn > 0) await new Promise((resolve) => setTimeout(resolve, dueIn));
        const recipient = recipients[i % recipients.length];
        if (recipient === undefined) return;
        const messageId = randomBytes(12).toString('hex');
        const { identityKey } = recipient.caller.client;
        const message = { recipient: identityKey, messageBox: 'batch', messageId, body: `message ${i}` };
        await sender.post('/sendMessage', { message }).then(() => recipient.unread.push(messageId), note);
        if (recipient.unread.length < PORTION) continue;
        const messageIds = recipient.unread.splice(0);
        await recipient.caller.post('/acknowledgeMessage', { messageIds }).catch(note);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    for (const { caller } of [{ caller: sender }, ...recipients]) caller.close();
    expect(refused).toEqual([]);
  },
  60_000 + BATCH_SECONDS * 10_000,
);
