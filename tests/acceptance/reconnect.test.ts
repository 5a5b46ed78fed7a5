import { randomUUID } from 'node:crypto';
import { createTcpProxy, type TcpProxy } from '../support/tcp-proxy.js';
import { type Clients, GENERATIONS } from './clients.js';
import { type Deployment, deployScaled, useDeployment } from './deployments.js';
import { describeScaled } from './describe-scaled.js';
import { holdCommits } from './held-commits.js';
import { EventHistory, waitUntil, withTimeout } from './history.js';
import type { LiveSocket } from './live-socket.js';
import { createPeople, type Person } from './people.js';

describeScaled('reconnecting', () => {
  const at = useDeployment(() => deployScaled());
  describe.each(GENERATIONS)('%s', (_whose, clients) => reconnects(at, clients));
});

function reconnects(at: () => Deployment, clients: Clients): void {
  const someone = createPeople(clients);
  /** The address that clients know; it leads to the first realtime process, and then to the second one. */
  let edge: TcpProxy;
  beforeEach(async () => {
    edge = await createTcpProxy({ target: at().realtimes[0] });
  });
  afterEach(async () => {
    await edge.close();
    const [first] = at().processes.realtimes;
    await first.restart({ samePort: true });
  });

  /** A socket whose app says again who it is and which room it wants whenever it has a connection. */
  function faithful(person: Person, messageBox: string): LiveSocket {
    const socket = person.createSocket(edge.url);
    socket.client.on('connect', () => {
      socket.client.emit('authenticated', { identityKey: person.key });
      socket.client.emit('joinRoom', `${person.key}-${messageBox}`);
    });
    return socket;
  }

  async function killFirst(): Promise<void> {
    edge.setTarget(at().realtimes[1]);
    await at().processes.realtimes[0].kill();
  }

  test('a socket resumes on the other instance with the session that it has', async () => {
    const [alice, bob] = [someone(), someone()];
    const socket = faithful(bob, 'inbox');
    const inbox = socket.events<{ messageId: string }>(`sendMessage-${bob.key}-inbox`);
    await socket.events('joinedRoom').waitFor(() => true);
    const handshakes = () => socket.wireEvents.all.filter(({ eventName }) => eventName === '(initialResponse)').length;
    const before = handshakes();

    const again = socket.events('joinedRoom').waitForNext();
    await killFirst();
    await again;
    expect(handshakes()).toBe(before);
    const messageId = randomUUID();
    await alice.send(at().apis[0], { recipient: bob.key, messageBox: 'inbox', messageId, body: 'hello' });
    await inbox.waitFor((push) => push.messageId === messageId);
    expect(await socket.send(alice.key, 'inbox', randomUUID(), 'hello')).toMatchObject({ status: 'success' });
  });

  // The registry's client forgets a socket that has lost its connection; newer ones do not.
  const registryOnly = clients.kind === 'registry' ? test : undefined;

  registryOnly?.('a MessageBoxClient resumes with one more listenForLiveMessages', async () => {
    const [alice, bob] = [someone(), someone()];
    const app = bob.createApp(at().apis[0], edge.url);
    const rooms = ['inbox', 'another'];
    const inboxes = [await app.listen('inbox'), await app.listen('another')] as const;
    await killFirst();
    await waitUntil('the client has noticed', () => app.client.testSocket === undefined);

    await app.listenAgain('inbox', inboxes[0]);
    await app.listenAgain('another', inboxes[1]);
    for (const [i, inbox] of inboxes.entries()) {
      const body = `after the crash, into box ${i}`;
      const message = { recipient: bob.key, messageBox: rooms[i] as string, body };
      const { messageId } = await alice.createApp(at().apis[1]).send(message);
      expect(await inbox.waitFor((push) => push.messageId === messageId)).toMatchObject({ body });
    }
    const live = await app.sendLive({ recipient: alice.key, messageBox: 'inbox', body: 'I am back' });
    expect(await alice.listIds(at().apis[0], 'inbox')).toEqual([live.messageId]);
  });

  registryOnly?.('a MessageBoxClient that has left a room is not put back into it', async () => {
    const [alice, bob] = [someone(), someone()];
    const app = bob.createApp(at().apis[0], edge.url);
    const kept = await app.listen('kept');
    await app.listen('left');
    const gone = app.waitForEvent('leftRoom');
    await app.client.leaveRoom('left');
    await gone;
    await killFirst();
    await waitUntil('the client has noticed', () => app.client.testSocket === undefined);
    await app.listenAgain('kept', kept);
    // The client has no ear for that room on its new socket, so this listens there for it.
    const heard = new EventHistory<unknown>('message of the room that was left');
    app.client.testSocket?.on(`sendMessage-${bob.key}-left`, heard.add);
    const sender = alice.createApp(at().apis[0]);
    await sender.send({ recipient: bob.key, messageBox: 'left', body: 'not heard' });
    const { messageId } = await sender.send({ recipient: bob.key, messageBox: 'kept', body: 'heard' });
    await kept.waitFor((push) => push.messageId === messageId);
    expect(heard.all).toEqual([]);
  });

  const strictOnly = clients.kind === 'strict' ? test : undefined;

  strictOnly?.('a client of message boxes resumes by itself, but for a room that it has left', async () => {
    const [alice, bob] = [someone(), someone()];
    const app = bob.createApp(at().apis[0], edge.url);
    const kept = await app.listen('kept');
    const left = await app.listen('left');
    const gone = app.waitForEvent('leftRoom');
    await app.client.leaveRoom('left');
    await gone;
    const again = app.waitForEvent<{ roomId: string }>('joinedRoom', ({ roomId }) => roomId === `${bob.key}-kept`);
    await killFirst();
    await again;
    const sender = alice.createApp(at().apis[1]);
    await sender.send({ recipient: bob.key, messageBox: 'left', body: 'not heard' });
    const { messageId } = await sender.send({ recipient: bob.key, messageBox: 'kept', body: 'heard' });
    expect(await kept.waitFor((push) => push.messageId === messageId)).toMatchObject({ body: 'heard' });
    expect(left.all).toEqual([]);
    const live = await app.sendLive({ recipient: alice.key, messageBox: 'inbox', body: 'I am back' });
    expect(await alice.listIds(at().apis[0], 'inbox')).toEqual([live.messageId]);
  });

  test('when a process stops in order, clients come back by themselves and no acknowledged send is lost', async () => {
    const [alice, bob] = [someone(), someone()];
    const sockets = [faithful(alice, 'inbox'), faithful(bob, 'inbox')] as const;
    for (const socket of sockets) await socket.events('joinedRoom').waitFor(() => true);
    const [sender, listener] = sockets;
    const inbox = listener.events<{ messageId: string }>(`sendMessage-${bob.key}-inbox`);

    const room = `${bob.key}-inbox`;
    const acks = sender.events<{ status: string; messageId: string }>(`sendMessageAck-${room}`);
    const back = sockets.map((socket) => socket.events('joinedRoom').waitForNext());
    edge.setTarget(at().realtimes[1]);
    const firstAck = acks.waitForNext();
    for (let i = 0; i < 40; i++) {
      const message = { messageId: randomUUID(), recipient: bob.key, body: `number ${i}` };
      sender.client.emit('sendMessage', { roomId: room, message });
    }
    await firstAck;
    // Here many sends are under way.
    expect(await at().processes.realtimes[0].stop()).toBe(0);
    await Promise.all(back);

    const stored = new Set(await bob.listIds(at().apis[0], 'inbox'));
    expect(acks.all.length).toBeGreaterThan(0);
    for (const { status, messageId } of acks.all) if (status === 'success') expect(stored).toContain(messageId);

    const messageId = randomUUID();
    expect(await sender.send(bob.key, 'inbox', messageId, 'hello')).toMatchObject({ status: 'success' });
    await inbox.waitFor((push) => push.messageId === messageId);
  });

  test('a send that waits for the database when its process is told to stop is still acknowledged', async () => {
    const [alice, bob] = [someone(), someone()];
    const commits = await holdCommits(at().databaseUrl as string);
    try {
      const socket = faithful(alice, 'inbox');
      await socket.events('joinedRoom').waitFor(() => true);
      const messageId = randomUUID();
      const acked = socket.send(bob.key, 'inbox', messageId, 'just in time');
      await commits.waiting(1);
      edge.setTarget(at().realtimes[1]);
      const back = socket.events('joinedRoom').waitForNext();
      const [first] = at().processes.realtimes;
      const stopped = first.stop();
      await first.waitForLog('"msg":"closing"');
      await commits.release();
      expect(await acked).toEqual({ status: 'success', messageId });
      expect(await withTimeout(10_000, 'the process ends', stopped)).toBe(0);
      await back;
      expect(await bob.listIds(at().apis[0], 'inbox')).toEqual([messageId]);
    } finally {
      await commits.close();
    }
  });
}
