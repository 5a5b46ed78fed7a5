import { closeAll, connectClient, createTestAuthenticator, startEchoServer } from './support/echo-server.js';

afterEach(closeAll);

/** A schedule whose work waits until the test continues it. */
function gate() {
  const waiting: { work: () => void; resolve: () => void; reject: (error: Error) => void }[] = [];
  let isOpen = true;
  return {
    waiting,
    schedule: (_socket: unknown, work: () => void) => {
      if (isOpen) {
        work();
        return Promise.resolve();
      }
      return new Promise<void>((resolve, reject) => waiting.push({ work, resolve, reject }));
    },
    shut: () => {
      isOpen = false;
    },
    open: () => {
      isOpen = true;
      for (const { work, resolve } of waiting.splice(0)) {
        work();
        resolve();
      }
    },
  };
}

test.each([['websocket'], ['polling']])(
  'frames that had to wait are handled in the order of sending, over %s',
  async (transport) => {
    const turns = gate();
    const server = await startEchoServer(createTestAuthenticator(), { schedule: turns.schedule });
    const alice = await connectClient(server.url, { transports: [transport] });
    alice.socket.emit('first', 0);
    await alice.waitForNext('echo');
    turns.shut();
    const arrived = new Promise<void>((resolve) => {
      let count = 0;
      for (const socket of server.io.sockets.sockets.values()) socket.prependAny(() => ++count === 400 && resolve());
    });
    for (let n = 1; n <= 400; n++) alice.socket.emit('counted', n);
    if (transport === 'polling') await arrived;
    // Only the first frame waits for a turn. The others wait in the queue.
    while (turns.waiting.length === 0) await new Promise((resolve) => setImmediate(resolve));
    expect(turns.waiting).toHaveLength(1);
    expect(server.seen).toHaveLength(1);
    turns.open();
    await server.waitFor(() => server.seen.length === 401);
    expect(server.seen.map(({ data }) => data)).toEqual(Array.from({ length: 401 }, (_, n) => n));
    expect(server.closed).toEqual([]);
  },
);

test('a frame that gets no turn closes the connection, and later frames are not handled', async () => {
  const turns = gate();
  const server = await startEchoServer(createTestAuthenticator(), { schedule: turns.schedule });
  const alice = await connectClient(server.url);
  alice.socket.emit('first', 0);
  await alice.waitForNext('echo');
  turns.shut();
  const gone = alice.waitForNext('disconnect');
  for (let n = 1; n <= 3; n++) alice.socket.emit('more', n);
  while (turns.waiting.length === 0) await new Promise((resolve) => setImmediate(resolve));
  turns.waiting.splice(0)[0]?.reject(new Error('too much of this client waits'));
  await gone;
  expect(server.undelivered).toEqual(['overloaded']);
  expect(server.seen).toHaveLength(1);
});

test('a large frame is read only as far as its client has had turns', async () => {
  const portions: number[] = [];
  let goOn: (() => void) | undefined;
  const waits = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  let isHeld: (() => void) | undefined;
  const held = new Promise<void>((resolve) => {
    isHeld = resolve;
  });
  const server = await startEchoServer(createTestAuthenticator(), {
    schedule: async (_socket: unknown, work: () => void, bytesToRead = 0) => {
      if (bytesToRead > 0) {
        portions.push(bytesToRead);
        isHeld?.();
        await waits;
      }
      work();
    },
  });
  const alice = await connectClient(server.url, { transports: ['websocket'] });
  alice.socket.emit('first', 0);
  await alice.waitForNext('echo');
  alice.socket.emit('large', 'x'.repeat(200_000));
  await held;
  const bob = await connectClient(server.url, { transports: ['websocket'] });
  bob.socket.emit('small', 1);
  await bob.waitForNext('echo');
  expect(server.seen.map(({ eventName }) => eventName)).not.toContain('large');
  expect(portions).toHaveLength(1);
  goOn?.();
  await server.waitFor(() => server.seen.length === 3);
  // A byte takes about four characters, and portions have 256 KB.
  expect(portions.length).toBeGreaterThan(1);
});

test('a large frame that gets no turn closes its connection', async () => {
  const server = await startEchoServer(createTestAuthenticator(), {
    schedule: async (_socket: unknown, work: () => void, bytesToRead = 0) => {
      if (bytesToRead > 0) throw new Error('too much');
      work();
    },
  });
  const alice = await connectClient(server.url, { transports: ['websocket'] });
  alice.socket.emit('first', 0);
  await alice.waitForNext('echo');
  alice.socket.emit('large', 'x'.repeat(200_000));
  await server.waitFor(() => server.closed.length > 0);
  expect(server.undelivered).toEqual(['overloaded']);
  expect(server.seen).toHaveLength(1);
});
