import type { AuthSocket } from '@messagebox/brc103/socket-io';
import { Semaphore } from '@messagebox/shared';

/** Longer than it takes an instance to notice that the room memory has lost its rooms, and to write them again. */
export const REPEAT_WITHIN_MS = 15_000;
const FIRST_WAIT_MS = 1_000;
const MAX_AT_ONCE = 100;

interface Restore {
  readonly at: number;
  /** Never rejects. */
  readonly repeat: () => Promise<void>;
  /** Doubles with each repetition. */
  waitMs: number;
  dueAt: number;
  isRunning: boolean;
}

/**
 * Restores the rooms of clients once more that came back while the room memory lacked rooms: each instance writes those of its
 * own connections again, and may do so only after the client has come back to another one. Nothing tells an instance when the
 * others have finished, so rooms are restored a few times within some seconds.
 */
export class RecentRestores {
  /** In the order of time. Sockets that were restored within the last seconds, so there are no more than are open. */
  readonly #restores = new Map<AuthSocket, Restore>();
  readonly #running = new Semaphore(MAX_AT_ONCE);
  #lossAt = Number.NEGATIVE_INFINITY;

  /** @param now milliseconds of a clock that is never set back */
  constructor(private readonly now: () => number = () => performance.now()) {}

  /** The rooms of a socket were restored. @param repeat does the same once more, and never rejects */
  add(socket: AuthSocket, repeat: () => Promise<void>): void {
    if (this.#restores.has(socket)) return;
    const at = this.now();
    this.#restores.set(socket, { at, repeat, waitMs: FIRST_WAIT_MS, dueAt: at, isRunning: false });
  }

  /** A client that leaves a room knows which rooms it wants. */
  delete(socket: AuthSocket): void {
    this.#restores.delete(socket);
  }

  /** The position was renewed. @param isComplete whether the room memory had all rooms */
  onRenewed(isComplete: boolean): void {
    const now = this.now();
    if (!isComplete) this.#lossAt = now;
    const isRepeating = now - this.#lossAt < REPEAT_WITHIN_MS;
    for (const [socket, restore] of this.#restores) {
      if (!socket.connected || (!isRepeating && now - restore.at >= REPEAT_WITHIN_MS)) this.#restores.delete(socket);
      else if (isRepeating) void this.#repeat(socket, restore);
    }
  }

  async #repeat(socket: AuthSocket, restore: Restore): Promise<void> {
    const now = this.now();
    if (restore.isRunning || now < restore.dueAt) return;
    restore.isRunning = true;
    restore.dueAt = now + restore.waitMs;
    restore.waitMs *= 2;
    await this.#running.run(async () => {
      if (socket.connected && this.#restores.has(socket)) await restore.repeat();
    });
    restore.isRunning = false;
  }
}
