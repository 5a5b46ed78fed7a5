import type { AuthSocket } from '@messagebox/brc103/socket-io';
import { type Logger, type PeriodicTask, type RoomMemory, runPeriodically } from '@messagebox/shared';
import type { MessageStore } from '@messagebox/store';
import type { ConnectionRooms } from './connection-rooms.js';
import type { RecentRestores } from './recent-restores.js';

const RENEW_INTERVAL_MS = 2_000;
/** A send that takes longer from its row id to its commit does not exist; see `DEFAULT_RECOVERY_TIMES`. */
export const LONGEST_SEND_MS = 65_000;
/** A client that vanishes is noticed within 100 s of its last byte. Until then, events are sent to it in vain. */
const LONGEST_SILENCE_MS = 100_000;
/** A client for which events have waited for so long does not keep up. */
const KEEPS_UP_WITHIN_MS = 15_000;
/** Whatever was committed earlier than this has reached every open connection whose client keeps up. */
export const POSITION_AGE_MS = LONGEST_SEND_MS + LONGEST_SILENCE_MS + KEEPS_UP_WITHIN_MS + RENEW_INTERVAL_MS;

/** The argument of `new LivePosition()`. */
export interface LivePositionOptions {
  readonly store: Pick<MessageStore, 'findNewestId' | 'findEarlierId'>;
  readonly memory: Pick<RoomMemory, 'onReachable'>;
  readonly rooms: ConnectionRooms;
  readonly restores: Pick<RecentRestores, 'onRenewed'>;
  /** The sockets that are open at the time of iteration. */
  readonly sockets: Iterable<AuthSocket>;
  /** How long ago it was certain that no live event was lost, in milliseconds. */
  readonly getRecoveryLagMs: () => number;
  readonly log: Logger;
  /** Milliseconds of a clock that is never set back. Default: that of the process. */
  readonly now?: () => number;
}

/**
 * Knows a row id up to which every message has reached all open connections of this instance, and renews it in the room
 * memory. A connection that is lost, also because this process is killed, is replayed what comes after it.
 *
 * The position is the highest row id of some minutes ago ({@link POSITION_AGE_MS}). A message with a lower row id was
 * committed by now, because no send takes longer. It was sent to the connections, and had arrived unless the client had
 * vanished, which would have been noticed. The positions of clients that do not keep up are frozen meanwhile.
 */
export class LivePosition {
  readonly #task: PeriodicTask;
  readonly #now: () => number;
  /** The highest row ids of the last minutes, in the order of time. */
  readonly #samples: { readonly at: number; readonly id: number }[] = [];
  #position: number | undefined;
  /** Sockets for which events wait, and since when. */
  readonly #busySince = new WeakMap<AuthSocket, number>();
  readonly #frozen = new WeakSet<AuthSocket>();
  readonly #stopListening: () => void;

  constructor(private readonly options: LivePositionOptions) {
    this.#now = options.now ?? (() => performance.now());
    // Redis and the database log their outages themselves.
    const log = { warn: options.log.debug.bind(options.log) };
    this.#task = runPeriodically(RENEW_INTERVAL_MS, () => this.renew(), { log, name: 'live position' });
    void this.#task.runNow();
    // Redis may have come back without its data.
    this.#stopListening = options.memory.onReachable(() => void this.#task.runNow());
  }

  /** Stops renewing. */
  close(): Promise<void> {
    this.#stopListening();
    return this.#task.close();
  }

  /** Renews the position now. @throws {StoreUnavailableError}, or what the room memory throws */
  async renew(): Promise<void> {
    const { rooms, restores } = this.options;
    await this.#freezeSlowSockets();
    restores.onRenewed(await rooms.renew(await this.#takeSample()));
  }

  async #takeSample(): Promise<number> {
    const { store } = this.options;
    const at = this.#now();
    const reachedBefore = at - POSITION_AGE_MS - this.options.getRecoveryLagMs();
    const id = await store.findNewestId();
    // The newest messages may have been acknowledged since the last sample.
    this.#samples.push({ at, id: Math.max(id, this.#samples.at(-1)?.id ?? 0) });
    this.#position ??= await store.findEarlierId(id, POSITION_AGE_MS);
    for (let [first] = this.#samples; first !== undefined && first.at <= reachedBefore; [first] = this.#samples) {
      this.#position = Math.max(this.#position, first.id);
      this.#samples.shift();
    }
    return this.#position;
  }

  async #freezeSlowSockets(): Promise<void> {
    const { rooms, sockets } = this.options;
    const now = this.#now();
    for (const socket of sockets) {
      if (socket.bufferedBytes === 0) {
        this.#busySince.delete(socket);
        if (this.#frozen.delete(socket)) await rooms.unfreeze(socket);
        continue;
      }
      const since = this.#busySince.get(socket) ?? now;
      this.#busySince.set(socket, since);
      if (now - since < KEEPS_UP_WITHIN_MS - RENEW_INTERVAL_MS || this.#frozen.has(socket)) continue;
      this.#frozen.add(socket);
      rooms.freeze(socket);
    }
  }
}
