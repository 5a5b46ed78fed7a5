import { randomUUID } from 'node:crypto';
import { toStoredBody, toStoredBodyWithPayment } from '@messagebox/messages';
import { type NewMessage, StoreUnavailableError } from '@messagebox/store';
import { RawClient, RawSocket } from '@messagebox/test-support/raw-client';
import { waitForCondition } from '@messagebox/test-support/wait-for-condition';
import type { RecoveryTimes } from '../../src/recovery/live-recovery.js';
import { type LiveServer, startLiveServer } from './live-server.js';

/** New rows are looked at all the time, and a live event is not waited for. */
export const IMMEDIATE: RecoveryTimes = { interval: 10, grace: 0, late: [100, 200], maxPause: 50 };
/** Nothing is recovered unless a gap is reported. */
export const PATIENT: RecoveryTimes = { interval: 10, grace: 600_000, late: [], maxPause: 50 };

const sender = new RawClient().identityKey;

/** The recovery of live events, on any database. */
export function recoverySuite(getEnv: () => Record<string, string>): void {
  let live: LiveServer;
  const sockets: RawSocket[] = [];

  const start = async (recoveryTimes: RecoveryTimes, env: Record<string, string> = {}) => {
    live = await startLiveServer({ ...getEnv(), ...env }, { recoveryTimes });
  };

  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.close();
    await live.close();
    jest.restoreAllMocks();
  });

  const join = async (client: RawClient, messageBox = 'inbox', path = '') => {
    const socket = await RawSocket.proven(live.url + path, client);
    sockets.push(socket);
    socket.event('joinRoom', `${client.identityKey}-${messageBox}`);
    await socket.waitFor('joinedRoom');
    return socket;
  };
  const create = (client: RawClient, overrides: Partial<NewMessage> = {}): NewMessage => ({
    recipient: client.identityKey,
    messageBox: 'inbox',
    messageId: randomUUID(),
    sender,
    body: 'hello',
    ...overrides,
  });
  /** Stores a message without its event, as a process that is killed after the commit. @returns the row id */
  const storeOnly = async (message: NewMessage) => {
    const [result] = await live.context.store.storeMessages([message]);
    return result?.cursor as string;
  };
  const publish = (message: NewMessage, cursor: string | undefined) =>
    live.realtime.publisher.publish({ ...message, cursor });
  const send = async (message: NewMessage) => publish(message, await storeOnly(message));
  const reportGap = () => live.context.broker.gaps.report({ since: Date.now() - 1_000, reason: 'connection_lost' });
  const nextPush = async (socket: RawSocket, client: RawClient, messageBox = 'inbox') =>
    (await socket.waitFor(`sendMessage-${client.identityKey}-${messageBox}`)).data;
  /** The pushes until a message that is sent now has arrived. */
  const readPushes = async (socket: RawSocket, client: RawClient) => {
    const last = create(client, { sender: new RawClient().identityKey });
    await send(last);
    const ids: string[] = [];
    for (;;) {
      const { messageId } = (await nextPush(socket, client)) as { messageId: string };
      if (messageId === last.messageId) return ids;
      ids.push(messageId);
    }
  };
  /** Resolves when a scan has ended that began after the call. */
  const waitForScan = async () => {
    const { store } = live.context;
    const spies = [jest.spyOn(store, 'listHeaders'), jest.spyOn(store, 'findNewestId')];
    const count = () => spies.reduce((sum, { mock }) => sum + mock.calls.length, 0);
    const before = count();
    // Scans run one after the other: the first may have begun earlier, and the third begins after the second.
    await waitForCondition(() => count() >= before + 3, 'a scan');
  };

  it('delivers a message whose publisher was killed after the commit, with its cursor', async () => {
    await start(IMMEDIATE);
    const client = new RawClient();
    const socket = await join(client);
    const message = create(client, { body: '{"message":"hello"}' });
    const after = await storeOnly({ ...message, body: toStoredBody(message.body) });
    const { messageId, body, messageBox } = message;
    expect(await nextPush(socket, client)).toEqual({ sender, messageId, body, messageBox, after });
    // Before the next message, which a scan may find before its event is published.
    expect(await live.metrics()).toMatch(/^messagebox_recovered_messages_total\{.*outcome="delivered".*\} 1$/m);
    expect(await readPushes(socket, client)).toEqual([]);
  });

  it('delivers what was missed in a gap at once, before live events, in the order of storing', async () => {
    await start(PATIENT);
    const client = new RawClient();
    const socket = await join(client);
    const missed = ['one', 'two', 'three'].map((messageId) => create(client, { messageId }));
    for (const message of missed) await storeOnly(message);
    const next = create(client, { messageId: 'four' });
    const cursor = await storeOnly(next);
    reportGap();
    publish(next, cursor);
    const ids: unknown[] = [];
    for (let i = 0; i < 4; i++) ids.push(((await nextPush(socket, client)) as { messageId: string }).messageId);
    expect(ids).toEqual(['one', 'two', 'three', 'four']);
    expect(await readPushes(socket, client)).toEqual([]);
    expect(await live.metrics()).toMatch(/^messagebox_catch_ups_total\{.*reason="connection_lost".*\} 1$/m);
  });

  it('puts a live event behind an older message of its sender that was lost', async () => {
    await start(PATIENT);
    const client = new RawClient();
    const socket = await join(client);
    await storeOnly(create(client, { messageId: 'lost' }));
    await waitForScan();
    expect(await live.metrics()).toMatch(/^messagebox_missed_messages\{.*\} 1$/m);
    await send(create(client, { messageId: 'next' }));
    expect(await nextPush(socket, client)).toMatchObject({ messageId: 'lost' });
    expect(await nextPush(socket, client)).toMatchObject({ messageId: 'next' });
    expect(await readPushes(socket, client)).toEqual([]);
  });
  it('repeats nothing that was delivered live', async () => {
    await start(PATIENT);
    const client = new RawClient();
    const socket = await join(client);
    const message = create(client);
    await send(message);
    expect(await nextPush(socket, client)).toMatchObject({ messageId: message.messageId });
    reportGap();
    expect(await readPushes(socket, client)).toEqual([]);
  });

  it('drops an event that arrives after its message was recovered', async () => {
    await start(IMMEDIATE);
    const client = new RawClient();
    const socket = await join(client);
    const message = create(client);
    const cursor = await storeOnly(message);
    expect(await nextPush(socket, client)).toMatchObject({ messageId: message.messageId });
    publish(message, cursor);
    publish(message, cursor);
    expect(await readPushes(socket, client)).toEqual([]);
  });

  it('repeats no message whose event came without a cursor from an older version', async () => {
    await start(PATIENT);
    const client = new RawClient();
    const socket = await join(client);
    const message = create(client);
    await storeOnly(message);
    publish(message, undefined);
    const { messageId, body, messageBox } = message;
    expect(await nextPush(socket, client)).toEqual({ sender, messageId, body, messageBox });
    reportGap();
    expect(await readPushes(socket, client)).toEqual([]);
  });

  it('delivers an id again that is stored again after it was acknowledged', async () => {
    await start(PATIENT);
    const client = new RawClient();
    const socket = await join(client);
    const message = create(client);
    await send(message);
    await live.context.store.acknowledgeMessages(message.recipient, [message.messageId]);
    await send(message);
    expect(await readPushes(socket, client)).toEqual([message.messageId, message.messageId]);
  });

  it('brings nothing to a socket that was stored before it joined', async () => {
    await start(PATIENT);
    const client = new RawClient();
    const other = new RawClient();
    await storeOnly(create(client));
    await waitForScan();
    await join(other); // from now on rows are read
    await storeOnly(create(client));
    await waitForScan();
    const socket = await join(client);
    reportGap();
    expect(await readPushes(socket, client)).toEqual([]);
  });

  it('recovers a message for the sockets that had joined, and not for one that joined later', async () => {
    await start(PATIENT);
    const client = new RawClient();
    const early = await join(client);
    const message = create(client);
    await storeOnly(message);
    await waitForScan();
    // Else the room of the first socket is replayed to this one.
    jest.spyOn(live.context.memory, 'recall').mockResolvedValue([]);
    const late = await join(client);
    reportGap();
    expect(await nextPush(early, client)).toMatchObject({ messageId: message.messageId });
    expect(await readPushes(late, client)).toEqual([]);
  });

  it('reads no bodies of rooms that nobody is in', async () => {
    await start(IMMEDIATE);
    const client = new RawClient();
    const readBodies = jest.spyOn(live.context.store, 'readBodies');
    const socket = await join(client);
    await storeOnly(create(client, { messageBox: 'elsewhere' }));
    await storeOnly(create(new RawClient()));
    const cursor = await storeOnly(create(client));
    await nextPush(socket, client);
    expect(readBodies.mock.calls).toEqual([[[Number(cursor)]]]);
  });

  it('leaves messages to lists that carry a payment or are too large', async () => {
    await start(PATIENT, { LIVE_MAX_BODY: '2000000' });
    const client = new RawClient();
    const socket = await join(client);
    const bodies = [
      toStoredBodyWithPayment('paid', '{"tx":[1],"outputs":[{}]}'),
      'x'.repeat(1_048_576), // with its names it does not fit into an event
      'x'.repeat(1_100_000),
      '\u0001'.repeat(200_000), // six bytes each in JSON
    ];
    for (const body of bodies) await storeOnly(create(client, { body }));
    await storeOnly(create(client, { messageId: 'small' }));
    reportGap();
    expect(await nextPush(socket, client)).toMatchObject({ messageId: 'small' });
    expect(await readPushes(socket, client)).toEqual([]);
    const metrics = await live.metrics();
    expect(metrics).toMatch(/^messagebox_recovered_messages_total\{.*outcome="paid".*\} 1$/m);
    expect(metrics).toMatch(/^messagebox_recovered_messages_total\{.*outcome="too_large".*\} 3$/m);
  });

  it('leaves acknowledged messages out', async () => {
    await start(PATIENT);
    const client = new RawClient();
    const socket = await join(client);
    const messages = [create(client), create(client)];
    for (const message of messages) await storeOnly(message);
    await live.context.store.acknowledgeMessages(client.identityKey, [messages[0]?.messageId as string]);
    reportGap();
    expect(await nextPush(socket, client)).toMatchObject({ messageId: messages[1]?.messageId });
    expect(await readPushes(socket, client)).toEqual([]);
  });

  it.each(['listHeaders', 'readBodies'] as const)('tries again when the database fails in %s', async (method) => {
    await start(PATIENT);
    const client = new RawClient();
    const socket = await join(client);
    const messages = [create(client, { messageId: 'one' }), create(client, { messageId: 'two' })];
    for (const message of messages) await storeOnly(message);
    const spy = jest.spyOn(live.context.store, method);
    for (let i = 0; i < 3; i++) spy.mockRejectedValueOnce(new StoreUnavailableError(new Error('gone')));
    reportGap();
    expect(await nextPush(socket, client)).toMatchObject({ messageId: 'one' });
    expect(await nextPush(socket, client)).toMatchObject({ messageId: 'two' });
    expect(await readPushes(socket, client)).toEqual([]);
  });

  it('delivers live events while the database fails', async () => {
    await start(PATIENT);
    const client = new RawClient();
    const socket = await join(client);
    const message = create(client);
    const cursor = await storeOnly(message);
    let calls = 0;
    jest.spyOn(live.context.store, 'listHeaders').mockImplementation(async () => {
      calls += 1;
      throw new StoreUnavailableError(new Error('gone'));
    });
    reportGap();
    await waitForCondition(() => calls > 1, 'the catch-up is tried again');
    publish(message, cursor);
    expect(await nextPush(socket, client)).toMatchObject({ messageId: message.messageId });
  });

  it('catches up with gaps that are reported during a catch-up', async () => {
    await start(PATIENT);
    const client = new RawClient();
    const socket = await join(client);
    const { store } = live.context;
    const readBodies = store.readBodies.bind(store);
    const second = create(client, { messageId: 'two' });
    jest.spyOn(store, 'readBodies').mockImplementationOnce(async (ids) => {
      await storeOnly(second);
      for (let i = 0; i < 5; i++) reportGap();
      return readBodies(ids);
    });
    await storeOnly(create(client, { messageId: 'one' }));
    reportGap();
    expect(await nextPush(socket, client)).toMatchObject({ messageId: 'one' });
    expect(await nextPush(socket, client)).toMatchObject({ messageId: 'two' });
    expect(await readPushes(socket, client)).toEqual([]);
  });

  it('delivers each message once to each namespace', async () => {
    await start(PATIENT, { ROUTING_PREFIX: '/api' });
    const client = new RawClient();
    const main = await join(client);
    const prefixed = await join(client, 'inbox', '/api');
    const message = create(client);
    await storeOnly(message);
    reportGap();
    for (const socket of [main, prefixed]) {
      expect(await nextPush(socket, client)).toMatchObject({ messageId: message.messageId });
    }
    expect(await readPushes(main, client)).toEqual([]);
    expect(await readPushes(prefixed, client)).toHaveLength(1); // the last message of the line above
  });
}
