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
