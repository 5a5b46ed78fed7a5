import { authenticator, client, closeAll, echo } from './support/echo.ts';

/** Frames are worked on when it is their client's turn, in the order of sending. */
afterEach(closeAll);

/** Work that waits until the test lets it go on. */
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
  'frames that had to wait are handled in the order of sending, by %s',
  async (transport) => {
    const turns = gate();
    const server = await echo(authenticator(), { schedule: turns.schedule });
    const alice = await client(server.url, { transports: [transport] });
    alice.socket.emit('first', 0);
    await alice.next('echo');
    turns.shut();
    const arrived = new Promise<void>((resolve) => {
      let count = 0;
      for (const socket of server.io.sockets.sockets.values()) socket.prependAny(() => ++count === 400 && resolve());
    });
    for (let n = 1; n <= 400; n++) alice.socket.emit('counted', n);
    if (transport === 'polling') await arrived;
    // Of all that comes, one piece of work waits for a turn; the others wait for it.
    while (turns.waiting.length === 0) await new Promise((resolve) => setImmediate(resolve));
    expect(turns.waiting).toHaveLength(1);
    expect(server.seen).toHaveLength(1);
    turns.open();
    await server.until(() => server.seen.length === 401);
    expect(server.seen.map(({ data }) => data)).toEqual(Array.from({ length: 401 }, (_, n) => n));
    expect(server.closed).toEqual([]);
  },
);

test('a frame that gets no turn ends the connection, and what came behind it is not handled', async () => {
  const turns = gate();
  const server = await echo(authenticator(), { schedule: turns.schedule });
  const alice = await client(server.url);
  alice.socket.emit('first', 0);
  await alice.next('echo');
  turns.shut();
  const gone = alice.next('disconnect');
  for (let n = 1; n <= 3; n++) alice.socket.emit('more', n);
  while (turns.waiting.length === 0) await new Promise((resolve) => setImmediate(resolve));
  turns.waiting.splice(0)[0]?.reject(new Error('too much of this client waits'));
  await gone;
  expect(server.undelivered).toEqual(['overloaded']);
  expect(server.seen).toHaveLength(1);
});

test('of a large frame no more is read than it is the turn of its client', async () => {
  const portions: number[] = [];
  let goOn: (() => void) | undefined;
  const waits = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  let isHeld: (() => void) | undefined;
  const held = new Promise<void>((resolve) => {
    isHeld = resolve;
  });
  const server = await echo(authenticator(), {
    schedule: async (_socket: unknown, work: () => void, bytesToRead = 0) => {
      if (bytesToRead > 0) {
        portions.push(bytesToRead);
        isHeld?.();
        await waits;
      }
      work();
    },
  });
  const alice = await client(server.url, { transports: ['websocket'] });
  alice.socket.emit('first', 0);
  await alice.next('echo');
  alice.socket.emit('large', 'x'.repeat(200_000));
  await held;
  const bob = await client(server.url, { transports: ['websocket'] });
  bob.socket.emit('small', 1);
  await bob.next('echo');
  expect(server.seen.map(({ eventName }) => eventName)).not.toContain('large');
  expect(portions).toHaveLength(1);
  goOn?.();
  await server.until(() => server.seen.length === 3);
  // Four characters or so for each byte, in portions of 256 KB.
  expect(portions.length).toBeGreaterThan(1);
});

test('a large frame that gets no turn ends its connection', async () => {
  const server = await echo(authenticator(), {
    schedule: async (_socket: unknown, work: () => void, bytesToRead = 0) => {
      if (bytesToRead > 0) throw new Error('too much');
      work();
    },
  });
  const alice = await client(server.url, { transports: ['websocket'] });
  alice.socket.emit('first', 0);
  await alice.next('echo');
  alice.socket.emit('large', 'x'.repeat(200_000));
  await server.until(() => server.closed.length > 0);
  expect(server.undelivered).toEqual(['overloaded']);
  expect(server.seen).toHaveLength(1);
});
