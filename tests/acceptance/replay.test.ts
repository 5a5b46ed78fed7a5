import { RawClient, RawSocket } from '@messagebox/test-support/raw-client';
import { createConnection } from 'mysql2/promise';
import { createTcpProxy, type TcpProxy } from '../support/tcp-proxy.js';
import { GENERATIONS } from './clients.js';
import { deployScaled, useDeployment } from './deployments.js';
import { describeScaled } from './describe-scaled.js';
import { waitUntil } from './history.js';
import { createPeople, type Person } from './people.js';

/** Nobody listens there. */
const NOWHERE = 'http://127.0.0.1:1';

describeScaled('replays', () => {
  const at = useDeployment(() => deployScaled());
  /** The address of sockets; it leads to the first realtime process, and then to the second one. */
  let edge: TcpProxy;
  beforeEach(async () => {
    edge = await createTcpProxy({ target: at().realtimes[0] });
  });
  afterEach(async () => {
    await edge.close();
    await at().processes.realtimes[0].restart({ samePort: true });
  });

  /** What each connection of an app was sent, in order. */
  const idsOf = (messages: readonly { readonly messageId: string }[]) => messages.map(({ messageId }) => messageId);

  async function sendMany(sender: Person, recipient: string, count: number): Promise<string[]> {
    const app = sender.createApp(at().apis[0]);
    const ids: string[] = [];
    for (let i = 0; i < count; i++) {
      const { messageId } = await app.send({ recipient, messageBox: 'inbox', body: `number ${i} ${Math.random()}` });
      ids.push(messageId);
    }
    return ids;
  }

  describe.each(GENERATIONS)('%s', (_whose, clients) => {
    const someone = createPeople(clients);

    test.each([
      ['the connection is cut', false],
      ['the process is killed', true],
    ])('an app hears what was sent while it was away, in order and once, when %s', async (_how, isKilled) => {
      const [alice, bob] = [someone(), someone()];
      const app = bob.createApp(at().apis[0], edge.url);
      const inbox = await app.listen('inbox');
      const [first = ''] = await sendMany(alice, bob.key, 1);
      await inbox.waitFor(({ messageId }) => messageId === first);
      await bob.acknowledge(at().apis[0], first);

      edge.setTarget(NOWHERE);
      if (isKilled) await at().processes.realtimes[0].kill();
      edge.cut();
      const sent = await sendMany(alice, bob.key, 30);
      edge.setTarget(at().realtimes[isKilled ? 1 : 0]);
      if (clients.kind === 'registry') {
        // The app of the registry's client listens again when it notices; it lists nothing.
        await waitUntil('the client has noticed', () => app.client.testSocket === undefined);
        await app.listenAgain('inbox', inbox);
      }
      await inbox.waitFor(({ messageId }) => messageId === sent.at(-1));
      const [last = ''] = await sendMany(alice, bob.key, 1);
      await inbox.waitFor(({ messageId }) => messageId === last);
      expect(idsOf(inbox.all)).toEqual([first, ...sent, last]);
    });
  });

  describe.each(GENERATIONS)('an app that joins its room itself whenever it is back, with %s', (_whose, clients) => {
    const someone = createPeople(clients);

    test.each([
      ['the connection is cut', false],
      ['the process is killed', true],
    ])('hears what was sent while it was away, in order and once, when %s', async (_how, isKilled) => {
      const [alice, bob] = [someone(), someone()];
      const socket = bob.createSocket(edge.url);
      const room = `${bob.key}-inbox`;
      const pushedOn: string[][] = [];
      socket.client.on('connect', () => {
        pushedOn.push([]);
        // It does not wait until the server has put it back into the room.
        socket.client.emit('authenticated', { identityKey: bob.key });
        socket.client.emit('joinRoom', room);
      });
      const inbox = socket.events<{ messageId: string }>(`sendMessage-${room}`);
      socket.client.on(`sendMessage-${room}`, (push: { messageId: string }) => pushedOn.at(-1)?.push(push.messageId));
      await socket.events('joinedRoom').waitFor(({ roomId }) => roomId === room);
      const [first = ''] = await sendMany(alice, bob.key, 1);
      await inbox.waitFor(({ messageId }) => messageId === first);
      await bob.acknowledge(at().apis[0], first);

      edge.setTarget(NOWHERE);
      if (isKilled) await at().processes.realtimes[0].kill();
      edge.cut();
      const sent = await sendMany(alice, bob.key, 30);
      const joined = socket.events('joinedRoom').waitForNext();
      edge.setTarget(at().realtimes[isKilled ? 1 : 0]);
      await joined;
      const [last = ''] = await sendMany(alice, bob.key, 1);
      await inbox.waitFor(({ messageId }) => messageId === last);
      await inbox.waitFor(({ messageId }) => messageId === sent.at(-1));
      expect(pushedOn[0]).toEqual([first]);
      expect(pushedOn.slice(1)).toEqual([[...sent, last]]);
    });
  });

  describe('the registry`s clients', () => {
    const someone = createPeople();

    test('a device hears its room again after another device has left it', async () => {
      const [alice, bob] = [someone(), someone()];
      const phone = bob.createApp(at().apis[0], edge.url);
      const laptop = bob.createApp(at().apis[0], at().realtimes[1]);
      const onPhone = await phone.listen('inbox');
      await laptop.listen('inbox');
      const left = laptop.waitForEvent('leftRoom');
      await laptop.client.leaveRoom('inbox');
      await left;
      edge.setTarget(NOWHERE);
      edge.cut();
      const missed = await sendMany(alice, bob.key, 1);
      edge.setTarget(at().realtimes[0]);
      await waitUntil('the client has noticed', () => phone.client.testSocket === undefined);
      await phone.listenAgain('inbox', onPhone);
      await onPhone.waitFor(({ messageId }) => messageId === missed[0]);
      const live = await sendMany(alice, bob.key, 1);
      await onPhone.waitFor(({ messageId }) => messageId === live[0]);
    });
  });

  test('a client that asks gets a message that was committed after others with higher row ids', async () => {
    const someone = new RawClient();
    const room = `${someone.identityKey}-inbox`;
    const database = await createConnection({ uri: at().databaseUrl as string });
    try {
      const insert = async (messageId: string): Promise<string> => {
        const [boxes] = await database.query('SELECT messageBoxId FROM messageBox WHERE identityKey = ? AND type = ?', [
          Buffer.from(someone.identityKey),
          Buffer.from('inbox'),
        ]);
        const [{ messageBoxId }] = boxes as [{ messageBoxId: number }];
        const [{ insertId }] = (await database.query(
          'INSERT INTO messages (messageBoxId, recipient, sender, messageId, body, body_bytes) VALUES (?, ?, ?, ?, ?, ?)',
          [
            messageBoxId,
            ...[someone.identityKey, someone.identityKey, messageId].map((one) => Buffer.from(one)),
            'x',
            1,
          ],
        )) as unknown as [{ insertId: number }];
        return `${insertId}`;
      };
      const send = async (socket: RawSocket, messageId: string): Promise<void> => {
        socket.event('sendMessage', {
          roomId: room,
          message: { messageId, recipient: someone.identityKey, body: 'x' },
        });
        await socket.waitFor(`sendMessageAck-${room}`);
      };
      const before = await RawSocket.proven(at().realtimes[0], someone);
      await send(before, 'creates the box');
      before.event('joinRoom', room);
      await before.waitFor('joinedRoom');
      await database.query('BEGIN');
      const low = await insert('committed late');
      await send(before, 'committed first');
      let pushed: { messageId: string; after: string };
      // What was stored shortly before the join may be pushed as well.
      do pushed = (await before.waitFor(`sendMessage-${room}`)).data as typeof pushed;
      while (pushed.messageId !== 'committed first');
      const { after } = pushed;
      expect(Number(after)).toBeGreaterThan(Number(low));
      before.close();
      await before.closed;
      await database.query('COMMIT');

      const back = await RawSocket.open(at().realtimes[1]);
      await back.shakeHands(someone);
      back.event('joinRoom', { roomId: room, after });
      const { data: end } = await back.waitFor('roomRecovered');
      expect(end).toMatchObject({ roomId: room, after, complete: true });
      const heard = back.received.filter(({ name }) => name === `sendMessage-${room}`);
      expect(idsOf(heard.map((one) => one.data as { messageId: string }))).toContain('committed late');
      back.close();
    } finally {
      await database.end();
    }
  });
});
