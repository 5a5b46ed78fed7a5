import type { AuthSocket } from '@messagebox/brc103/socket-io';
import { getRateLimitedLog, type LimitHitReporter, type Logger, type Metrics, Semaphore } from '@messagebox/shared';
import type { MessageStore } from '@messagebox/store';
import { KeyedQueue } from '../events/keyed-queue.js';
import type { DeliveredMessages } from '../recovery/delivered-messages.js';
import { LONGEST_SEND_MS } from './live-position.js';
import { ReplayAttempts } from './replay-attempts.js';
import { ReplayHolds } from './replay-holds.js';
import { MAX_PAGES_AT_ONCE, REPLAY_LIMITS, type ReplayBudget } from './replay-limits.js';
import { type ReplayProgress, type ReplayRoomOptions, replayRoom } from './replay-room.js';

/** The argument of `new Replays()`. */
export interface ReplaysOptions {
  readonly store: Pick<MessageStore, 'listMessages' | 'findEarlierId'>;
  readonly delivered: Pick<DeliveredMessages, 'recordReplay'>;
  readonly maxBodyBytes: number;
  readonly schedule: ReplayRoomOptions['schedule'];
  readonly metrics: Metrics;
  readonly limitsHit: LimitHitReporter;
  readonly log: Logger;
}

/** A room that was joined again for a client that has come back. */
export interface RestoredRoom {
  readonly room: string;
  /** The row id up to which its earlier connection has received everything. */
  readonly since: number;
}

/** The answer to a client that has asked for a replay. */
export interface RoomRecovered {
  /** Where the client may continue. */
  readonly after: string;
  /** Whether everything was read. Else the client asks again, or lists. */
  readonly complete: boolean;
  /** Messages that the client must list. */
  readonly skipped: number;
}

/**
 * The client learns with the answer to its authentication that it is back, and listens to its rooms then. Events that arrive
 * before it listens would be lost in the client.
 */
const RESTORE_DELAY_MS = 500;
const RETRY_DELAY_MS = { min: 1_000, max: 30_000 };

/**
 * Replays stored messages to single sockets: to clients that have come back, and to those that ask. The replays of one room on
 * one connection run one after the other. Each identity reads one page at a time, however many sockets it has.
 *
 * Nothing is missed between a replay and live delivery: the socket is in the room before the first page is read, so a
 * message that is committed later than a page was read arrives live. Live events are held back meanwhile.
 */
export class Replays {
  readonly holds = new ReplayHolds();
  readonly #attempts = new ReplayAttempts();
  readonly #rooms = new KeyedQueue();
  readonly #identities = new KeyedQueue();
  readonly #pages = new Semaphore(MAX_PAGES_AT_ONCE);
  readonly #askedBySocket = new Map<string, number>();
  readonly #askedByIdentity = new Map<string, number>();
  /** The rooms of each socket that were restored, and since when. */
  readonly #restored = new WeakMap<AuthSocket, Map<string, number>>();
  /** By socket and room: where the client was told to continue. */
  readonly #continueAfter = new WeakMap<AuthSocket, Map<string, string>>();

  constructor(private readonly options: ReplaysOptions) {}

  /**
   * Replays rooms that a client had joined on an earlier connection, some time after it was authenticated. Their live events
   * must be held back before ({@link ReplayHolds.hold}), and are released here. Returns at once.
   */
  restore(socket: AuthSocket, rooms: readonly RestoredRoom[]): void {
    if (rooms.length === 0) return;
    const restored = this.#restored.get(socket) ?? new Map<string, number>();
    this.#restored.set(socket, restored);
    for (const { room, since } of rooms) restored.set(room, since);
    void this.#restoreLater(socket, rooms);
  }

  /** Whether {@link restore} was called for a room, from this position or from an earlier one. */
  isRestored(socket: AuthSocket, { room, since }: RestoredRoom): boolean {
    const restoredSince = this.#restored.get(socket)?.get(room);
    return restoredSince !== undefined && restoredSince <= since;
  }

  /**
   * Takes one of the places for replays that clients ask for.
   *
   * @returns gives the place back; undefined when the socket or the identity has no more
   */
  takePlace(socket: AuthSocket): (() => void) | undefined {
    const { id, identityKey = '' } = socket;
    const ofSocket = this.#askedBySocket.get(id) ?? 0;
    const ofIdentity = this.#askedByIdentity.get(identityKey) ?? 0;
    if (ofSocket >= REPLAY_LIMITS.askedPerSocket || ofIdentity >= REPLAY_LIMITS.askedPerIdentity) return undefined;
    this.#askedBySocket.set(id, ofSocket + 1);
    this.#askedByIdentity.set(identityKey, ofIdentity + 1);
    return () => {
      decrement(this.#askedBySocket, id);
      decrement(this.#askedByIdentity, identityKey);
    };
  }

  /**
   * Replays a room from where the client asks. Never rejects. The room's live events must be held back before, and are
   * released here.
   *
   * @param after a decimal row id. The replay begins earlier, at the first message that may have been committed later than
   *   the one with this id, unless the client continues an earlier replay of this connection
   */
  async ask(socket: AuthSocket, room: string, after: string): Promise<RoomRecovered> {
    const progress: ReplayProgress = { after, sent: 0, skipped: 0 };
    let complete = false;
    await this.#inRoom(socket, room, async () => {
      try {
        progress.after = await this.#findStart(socket, room, after);
        complete = await this.#replay(socket, room, progress, { ...REPLAY_LIMITS.asked }, () => true).finally(() =>
          this.#setContinuation(socket, room, progress.after),
        );
      } catch (error) {
        this.#logFailure(error);
      }
      this.holds.release(socket, room);
    });
    this.options.metrics.replays.inc({ reason: 'asked', outcome: complete ? 'complete' : 'partial' });
    const isBehind = Number(progress.after) < Number(after);
    return { after: complete && isBehind ? after : progress.after, complete, skipped: progress.skipped };
  }

  async #restoreLater(socket: AuthSocket, rooms: readonly RestoredRoom[]): Promise<void> {
    await delay(RESTORE_DELAY_MS);
    const budget = { ...REPLAY_LIMITS.restored };
    for (const { room, since } of rooms) {
      const progress = { after: `${since}`, sent: 0, skipped: 0 };
      await this.#inRoom(socket, room, () => this.#restoreRoom(socket, room, progress, budget));
    }
  }

  /** Tries again until the store answers. Live events are not held back meanwhile. */
  async #restoreRoom(socket: AuthSocket, room: string, progress: ReplayProgress, budget: ReplayBudget): Promise<void> {
    for (let waitMs = RETRY_DELAY_MS.min; ; waitMs = Math.min(waitMs * 2, RETRY_DELAY_MS.max)) {
      try {
        const complete = await this.#replay(socket, room, progress, budget, ({ identityKey = '' }, message) =>
          this.#attempts.take(identityKey, message),
        );
        this.holds.release(socket, room);
        this.#noteRestored(socket, room, complete, progress);
        return;
      } catch (error) {
        this.holds.release(socket, room);
        this.#logFailure(error);
      }
      await delay(waitMs);
      if (!socket.connected || !socket.isIn(room)) return;
      this.holds.hold(socket, room);
    }
  }

  #noteRestored(socket: AuthSocket, room: string, complete: boolean, { sent, skipped }: ReplayProgress): void {
    const { metrics, limitsHit, log } = this.options;
    const isBounded = !complete && socket.connected && socket.isIn(room);
    metrics.replays.inc({ reason: 'restored', outcome: complete ? 'complete' : 'partial' });
    if (isBounded) {
      limitsHit.report('restored_messages');
      getRateLimitedLog(log).write('info', { socket: socket.id, sent }, 'a client has to list what it has missed');
    } else log.debug({ socket: socket.id, sent, skipped }, 'room replayed');
  }

  async #replay(
    socket: AuthSocket,
    room: string,
    progress: ReplayProgress,
    budget: ReplayBudget,
    admit: ReplayRoomOptions['admit'],
  ): Promise<boolean> {
    const before = progress.sent;
    try {
      const { store, delivered, maxBodyBytes, schedule } = this.options;
      const options: ReplayRoomOptions = {
        store,
        delivered,
        holds: this.holds,
        maxBodyBytes,
        admit,
        schedule,
        takeTurn: (one, read) => this.#takeTurn(one, read),
      };
      return await replayRoom(options, socket, room, progress, budget);
    } finally {
      this.options.metrics.replayed.inc(progress.sent - before);
    }
  }

  async #findStart(socket: AuthSocket, room: string, after: string): Promise<string> {
    if (this.#continueAfter.get(socket)?.get(room) === after) return after;
    const id = Math.min(Number(after), Number.MAX_SAFE_INTEGER);
    const earlier = await this.options.store.findEarlierId(id, LONGEST_SEND_MS);
    return `${Math.min(id, earlier)}`;
  }

  #setContinuation(socket: AuthSocket, room: string, after: string): void {
    const rooms = this.#continueAfter.get(socket) ?? new Map<string, string>();
    this.#continueAfter.set(socket, rooms);
    if (socket.isIn(room)) rooms.set(room, after);
    else rooms.delete(room);
  }

  /** Runs replays of one room on one connection one after the other. `work` must not reject. */
  #inRoom(socket: AuthSocket, room: string, work: () => Promise<void>): Promise<void> {
    return new Promise((resolve) => {
      this.#rooms.run(`${socket.id} ${room}`, () => work().finally(resolve));
    });
  }

  #takeTurn<T>({ identityKey = '' }: AuthSocket, read: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#identities.run(identityKey, () => this.#pages.run(read).then(resolve, reject));
    });
  }

  #logFailure(error: unknown): void {
    getRateLimitedLog(this.options.log).write('warn', { err: error }, 'a replay was interrupted');
  }
}

function decrement(counts: Map<string, number>, key: string): void {
  const count = (counts.get(key) ?? 0) - 1;
  if (count > 0) counts.set(key, count);
  else counts.delete(key);
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}
