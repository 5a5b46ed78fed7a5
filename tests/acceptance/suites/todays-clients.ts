import { randomBytes, randomUUID } from 'node:crypto';
import {
  createSlowWallet,
  EventHistory,
  MAX_CLIENT_FRAMES_IN_FLIGHT,
  StrictMessageBoxClient,
  StrictSocketClient,
} from '@messagebox/test-kit';
import { io } from 'socket.io-client';
import { GENERATIONS, strictClients } from '../clients.js';
import type { Deployment } from '../deployments.js';
import type { LiveSocket } from '../live-socket.js';
import { createPeople, type Person } from '../people.js';

/** Requirements of current clients, including those that their own tests, with one call at a time, do not show. */
export function todaysClientsSuite(at: () => Deployment): void {
  describe('many pushes to a slow wallet', () => {
    const someone = createPeople(strictClients);

    test.each([0, 10, 50])('200 pushes arrive in order, with %i ms for each call of the wallet', async (ms) => {
      const [alice, bob] = [someone(), someone()];
      const listener = await bob.createSocket(at().realtimes[1], {}, createSlowWallet(bob.wallet, ms)).authenticate();
      const inbox = await listener.join('chat');
      const sender = await alice.connect(at().realtimes[0]);
      const ids = Array.from({ length: 200 }, () => randomUUID());
      await Promise.all(ids.map((id) => sender.send(bob.key, 'chat', id, 'hello')));
      await inbox.waitFor(({ messageId }) => messageId === ids.at(-1));
      expect(inbox.all.map(({ messageId }) => messageId)).toEqual(ids);
      expect(getStrictClient(listener).maxFramesInFlight).toBeLessThanOrEqual(MAX_CLIENT_FRAMES_IN_FLIGHT);
    });

    test('200 live sends at once are all acknowledged live', async () => {
      const [alice, bob] = [someone(), someone()];
      const app = alice.createApp(at().apis[0], at().realtimes[0]);
      await app.connect();
      const texts = Array.from({ length: 200 }, (_, i) => `number ${i}`);
      const to = { recipient: bob.key, messageBox: 'chat', skipEncryption: true };
      await Promise.all(texts.map((body) => app.sendLive({ ...to, body })));
      expect(app.client).toMatchObject({ sentLive: 200, sentByFallback: 0 });
      const stored = await bob.list(at().apis[1], 'chat');
      expect(new Set(stored.map(({ body }) => body))).toEqual(new Set(texts));
    });
  });

  describe.each(GENERATIONS)('first events at once, by %s', (_whose, clients) => {
    const someone = createPeople(clients);

    test('40 events before the first handshake are all answered', async () => {
      const bob = someone();
      const socket = bob.createSocket(at().realtimes[0]);
      const rooms = Array.from({ length: 40 }, (_, i) => `${bob.key}-box ${i}`);
      for (const room of rooms) socket.client.emit('joinRoom', room);
      for (const room of rooms) await socket.events('joinedRoom').waitFor(({ roomId }) => roomId === room);
      expect(socket.events('disconnect').all).toEqual([]);
    });
  });

  describe('lists by offset', () => {
    const someone = createPeople(strictClients);
    const clientOf = (person: Person, maxAnswerBytes?: number) =>
      new StrictMessageBoxClient({
        host: at().apis[1],
        walletClient: person.wallet,
        identityKey: person.key,
        ...(maxAnswerBytes === undefined ? {} : { maxAnswerBytes }),
      });
    const fill = async (from: Person, to: Person, bodies: string[]) => {
      const ids = bodies.map(() => randomUUID());
      for (const [i, body] of bodies.entries()) {
        const message = { recipient: to.key, messageBox: 'inbox', messageId: ids[i], body };
        expect(await from.send(at().apis[0], message)).toMatchObject({ status: 200 });
      }
      return ids;
    };

    test('25 rows by pages of 10 are 25 rows', async () => {
      const [alice, bob] = [someone(), someone()];
      const ids = await fill(alice, bob, Array<string>(25).fill('hello'));
      const client = clientOf(bob);
      const listed = await client.listMessages({ messageBox: 'inbox', pageSize: 10 });
      expect(listed.map(({ messageId }) => messageId)).toEqual(ids);
      const some = await client.listMessages({ messageBox: 'inbox', pageSize: 10, limit: 12 });
      expect(some.map(({ messageId }) => messageId)).toEqual(ids.slice(0, 12));
      const one = await client.listMessages({ messageBox: 'inbox', messageId: ids[7] });
      expect(one.map(({ messageId }) => messageId)).toEqual([ids[7]]);
    });

    test.each([
      ['5 MB', 5],
      ['18 MB', 18],
    ])('a box of %s is read whole, also by clients that take answers of 4 MiB', async (_size, rows) => {
      const [alice, bob] = [someone(), someone()];
      const bodies = Array.from({ length: rows }, (_, i) => `${i} `.padEnd(1_000_000, 'abcdefg'));
      const ids = await fill(alice, bob, bodies);
      const client = clientOf(bob, 4 * 1024 * 1024);
      const listed = await client.listMessages({ messageBox: 'inbox' });
      expect(listed.map(({ messageId }) => messageId)).toEqual(ids);
      expect(listed.every(({ body }, i) => body === bodies[i])).toBe(true);
      // Slow verifiers have 30 s for an answer.
      expect(client.largestAnswer).toBeLessThan(1.5 * 1024 * 1024);
    });

    test('one row of 4 MiB is read whole', async () => {
      const [alice, bob] = [someone(), someone()];
      const body = 'x'.padEnd(4 * 1024 * 1024, 'abcdefg');
      await fill(alice, bob, [body]);
      const [listed] = await clientOf(bob).listMessages({ messageBox: 'inbox' });
      expect(listed?.body === body).toBe(true);
    });
  });

  describe('what is too much for a live event', () => {
    const someone = createPeople(strictClients);

    test.each([
      ['of 1 MiB', 'x'.repeat(1_048_576)],
      ['that grows when it is encoded', '"'.repeat(600_000)],
    ])('a body %s is not pushed, is listed, and the connection lives', async (_kind, body) => {
      const [alice, bob] = [someone(), someone()];
      const inbox = await (await bob.connect(at().realtimes[0])).join('chat');
      const [large, small] = [randomUUID(), randomUUID()];
      await alice.send(at().apis[0], { recipient: bob.key, messageBox: 'chat', messageId: large, body });
      await alice.send(at().apis[0], { recipient: bob.key, messageBox: 'chat', messageId: small, body: 'hello' });
      await inbox.waitFor(({ messageId }) => messageId === small);
      expect(inbox.all.map(({ messageId }) => messageId)).toEqual([small]);
      expect(await bob.listIds(at().apis[1], 'chat')).toEqual([large, small]);
    });

    test('an encrypted body of 700,000 bytes is sent and pushed live', async () => {
      const [alice, bob] = [someone(), someone()];
      const inbox = await bob.createApp(at().apis[0], at().realtimes[1]).listen('chat');
      const app = alice.createApp(at().apis[0], at().realtimes[0]);
      const body = 'x'.repeat(700_000);
      const { messageId } = await app.sendLive({ recipient: bob.key, messageBox: 'chat', body });
      expect(app.client).toMatchObject({ sentLive: 1, sentByFallback: 0 });
      expect((await inbox.waitFor((message) => message.messageId === messageId)).body === body).toBe(true);
    });
  });

  describe('a handshake in the name of the server', () => {
    const someone = createPeople(strictClients);
    const handshake = async () => {
      const answer = await someone().postForHeaders(`${at().apis[0]}/listMessages`, { messageBox: 'inbox' });
      return {
        version: '0.1',
        messageType: 'initialRequest',
        identityKey: answer.headers.get('x-bsv-auth-identity-key'),
        initialNonce: randomBytes(48).toString('base64'),
        requestedCertificates: { certifiers: [], types: {} },
      };
    };

    test('is refused over HTTP', async () => {
      const answer = await fetch(`${at().apis[0]}/.well-known/auth`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify(await handshake()),
      });
      expect(answer.status).toBeGreaterThanOrEqual(400);
      expect(answer.status).toBeLessThan(500);
      expect(answer.headers.get('x-bsv-auth-signature')).toBeNull();
    });

    test('is not answered on a socket', async () => {
      const socket = io(at().realtimes[0], { forceNew: true, reconnection: false });
      try {
        const heard = new EventHistory<string>('event');
        socket.onAny((name: string) => heard.add(name));
        socket.on('disconnect', () => heard.add('disconnect'));
        const first = heard.waitForNext();
        socket.emit('authMessage', await handshake());
        // Unsigned, so it is refused in any case: after whatever was said before.
        socket.emit('joinRoom', 'inbox');
        expect(['disconnect', 'authenticationFailed']).toContain(await first);
        expect(heard.all).not.toContain('authMessage');
      } finally {
        socket.disconnect();
      }
    });
  });
}

function getStrictClient({ client }: LiveSocket): StrictSocketClient {
  if (client instanceof StrictSocketClient) return client;
  throw new Error('this is no strict client');
}
