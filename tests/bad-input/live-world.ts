import { RawClient, RawSocket, type Received, withAnswerTimeout } from '@messagebox/test-support/raw-client';
import { waitForCondition } from '@messagebox/test-support/wait-for-condition';
import { HttpTestBed } from './refusals.ts';
import { readLinesSince, watchProcess } from './server.ts';

/** A server and socket clients of a test file, and what must be true when all of them are gone. */
export class LiveTestBed {
  readonly #open: RawSocket[] = [];
  readonly #watched = watchProcess();
  readonly #timers = watchTimers();

  private constructor(readonly http: HttpTestBed) {}

  static async start(env: Record<string, string> = {}): Promise<LiveTestBed> {
    return new LiveTestBed(await HttpTestBed.start(env));
  }

  get url(): string {
    return this.http.server.url;
  }

  /** The recipient's key and one of its boxes. */
  room(box = 'inbox', key = this.http.recipient.client.identityKey): string {
    return `${key}-${box}`;
  }

  async open(transports?: string[]): Promise<RawSocket> {
    const socket = await RawSocket.open(this.url, transports);
    this.#open.push(socket);
    return socket;
  }

  /** A socket whose identity is proven; the sender's unless told otherwise. */
  async proven(client: RawClient = this.http.sender.client, transports?: string[]): Promise<RawSocket> {
    const socket = await RawSocket.proven(this.url, client, transports);
    this.#open.push(socket);
    return socket;
  }

  /** After each test: nothing of it stays open. */
  async closeSockets(): Promise<void> {
    for (const socket of this.#open.splice(0)) socket.close();
    await waitForCondition(() => this.http.server.openSockets() === 0, 'the server forgets closed sockets');
  }

  /** Does something that the server must refuse as not authenticated, with no more effect than an answer and a line. */
  async refusedFrame(socket: RawSocket, act: () => unknown, code: string): Promise<Received> {
    const { server } = this.http;
    const [mark, rows] = [server.log.length, await server.rows()];
    act();
    const answer = await socket.waitFor('authenticationFailed');
    expect(answer).toMatchObject({ signed: false, data: { reason: expect.stringMatching(/^[A-Za-z][^<>]{5,200}$/) } });
    this.http.expectOneLine(mark, code);
    expect(socket.received).toEqual([]);
    expect(socket.connected).toBe(true);
    expect(await server.rows()).toEqual(rows);
    return answer;
  }

  /** Does something that the server must answer by closing the connection. */
  async ended(socket: RawSocket, act: () => unknown): Promise<void> {
    const rows = await this.http.server.rows();
    act();
    await withAnswerTimeout(socket.closed, 'the end of the connection', () => JSON.stringify(socket.received));
    expect(await this.http.server.rows()).toEqual(rows);
  }

  /** Shows that a socket still works, and that nothing came on it before that. */
  async expectAlive(socket: RawSocket): Promise<void> {
    const roomId = this.room(`alive ${Math.random()}`, socket.session?.client.identityKey);
    socket.event('joinRoom', roomId);
    expect(await socket.waitFor('joinedRoom')).toEqual({ signed: true, name: 'joinedRoom', data: { roomId } });
    expect(socket.received).toEqual([]);
  }

  /** Nothing that would have ended a process, no error in the log, no timer of a socket that is gone. */
  async expectNoTrouble(): Promise<void> {
    const { server } = this.http;
    await this.closeSockets();
    await this.expectAllServed();
    expect(this.#watched.trouble).toEqual([]);
    expect(readLinesSince(server, 0).filter(({ level }) => level > 30)).toEqual([]);
    await waitForCondition(
      () => this.#timers.open().length === 0,
      () => `timers of sockets are cleared: ${this.#timers.open().join('\n')}`,
    );
  }

  async expectAllServed(): Promise<void> {
    await this.http.expectAccepted(this.http.sendMessage());
    const socket = await this.proven(new RawClient());
    await this.expectAlive(socket);
    await this.closeSockets();
  }

  async close(): Promise<void> {
    await this.closeSockets();
    this.#watched.stop();
    this.#timers.stop();
    await this.http.close();
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
