import { RawClient, RawSocket, type Received, withPatience } from './raw-client.ts';
import { World } from './refusals.ts';
import { eventually, linesSince, watchProcess } from './server.ts';

/** A server and socket clients of a test file, and what must be true when all of them are gone. */
export class LiveWorld {
  readonly #open: RawSocket[] = [];
  readonly #watched = watchProcess();
  readonly #timers = watchTimers();

  private constructor(readonly world: World) {}

  static async start(env: Record<string, string> = {}): Promise<LiveWorld> {
    return new LiveWorld(await World.start(env));
  }

  get url(): string {
    return this.world.server.url;
  }

  /** The recipient's key and one of its boxes. */
  room(box = 'inbox', key = this.world.recipient.client.identityKey): string {
    return `${key}-${box}`;
  }

  async open(transports?: string[]): Promise<RawSocket> {
    const socket = await RawSocket.open(this.url, transports);
    this.#open.push(socket);
    return socket;
  }

  /** A socket whose identity is proven; the sender's unless told otherwise. */
  async proven(client: RawClient = this.world.sender.client, transports?: string[]): Promise<RawSocket> {
    const socket = await RawSocket.proven(this.url, client, transports);
    this.#open.push(socket);
    return socket;
  }

  /** After each test: nothing of it stays open. */
  async closeSockets(): Promise<void> {
    for (const socket of this.#open.splice(0)) socket.close();
    await eventually(() => this.world.server.openSockets() === 0, 'the server forgets closed sockets');
  }

  /** Does something that the server must refuse as not authenticated, with no more effect than an answer and a line. */
  async refusedFrame(socket: RawSocket, act: () => unknown, code: string): Promise<Received> {
    const { server } = this.world;
    const [mark, rows] = [server.log.length, await server.rows()];
    act();
    const answer = await socket.take('authenticationFailed');
    expect(answer).toMatchObject({ signed: false, data: { reason: expect.stringMatching(/^[A-Za-z][^<>]{5,200}$/) } });
    this.world.expectOneLine(mark, code);
    expect(socket.received).toEqual([]);
    expect(socket.connected).toBe(true);
    expect(await server.rows()).toEqual(rows);
    return answer;
  }

  /** Does something that the server must answer by closing the connection. */
  async ended(socket: RawSocket, act: () => unknown): Promise<void> {
    const rows = await this.world.server.rows();
    act();
    await withPatience(socket.closed, 'the end of the connection', () => JSON.stringify(socket.received));
    expect(await this.world.server.rows()).toEqual(rows);
  }

  /** Shows that a socket still works, and that nothing came on it before that. */
  async expectAlive(socket: RawSocket): Promise<void> {
    const roomId = this.room(`alive ${Math.random()}`, socket.session?.client.identityKey);
    socket.event('joinRoom', roomId);
    expect(await socket.take('joinedRoom')).toEqual({ signed: true, name: 'joinedRoom', data: { roomId } });
    expect(socket.received).toEqual([]);
  }

  /** Nothing that would have ended a process, no error in the log, no timer of a socket that is gone. */
  async expectNoTrouble(): Promise<void> {
    const { server } = this.world;
    await this.closeSockets();
    await this.expectAllServed();
    expect(this.#watched.trouble).toEqual([]);
    expect(linesSince(server, 0).filter(({ level }) => level > 30)).toEqual([]);
    await eventually(
      () => this.#timers.open().length === 0,
      () => `timers of sockets are cleared: ${this.#timers.open().join('\n')}`,
    );
  }

  async expectAllServed(): Promise<void> {
    await this.world.taken(this.world.sendMessage());
    const socket = await this.proven(new RawClient());
    await this.expectAlive(socket);
    await this.closeSockets();
  }

  async close(): Promise<void> {
    await this.closeSockets();
    this.#watched.stop();
    this.#timers.stop();
    await this.world.close();
  }
}

/** Timers that hold the process, started since now: each with where it was started. */
function watchTimers(): { open(): string[]; stop(): void } {
  const { setTimeout: start, clearTimeout: clear } = globalThis;
  const open = new Map<unknown, string>();
  const started = (run: (...args: unknown[]) => void, ms?: number, ...args: unknown[]) => {
    const timer = start(() => {
      open.delete(timer);
      run(...args);
    }, ms);
    const from = new Error('started').stack?.split('\n').slice(2, 5).join('\n') ?? '';
    // engine.io gives a client that it has ended 30 s to ask once more; nothing is held for it but that.
    if (!from.includes('Polling.doClose')) open.set(timer, `${ms} ms ${from}`);
    return timer;
  };
  const cleared = (timer?: NodeJS.Timeout) => {
    open.delete(timer);
    clear(timer);
  };
  globalThis.setTimeout = Object.assign(started, start) as typeof setTimeout;
  globalThis.clearTimeout = cleared as typeof clearTimeout;
  return {
    open: () => [...open].filter(([timer]) => (timer as NodeJS.Timeout).hasRef()).map(([, where]) => where),
    stop: () => {
      globalThis.setTimeout = start;
      globalThis.clearTimeout = clear;
    },
  };
}
