import type { AuthSocket } from '@messagebox/brc103/socket-io';

/** How many live events may wait for replays: on one connection, and on all of them. `docs/limits.md` lists them. */
export const HOLD_LIMITS = { events: 256, bytes: 1_048_576, bytesOfAll: 67_108_864 } as const;

/** A live event that is offered. */
export interface LiveEvent {
  /** The message, by cursor and id. Undefined when its cursor is not known. */
  readonly key: string | undefined;
  /** Its approximate size. */
  readonly bytes: number;
  /** Sends it. Called later when it is held back. */
  readonly send: () => void;
}

interface RoomHold {
  /** Replays that have asked for it. */
  holders: number;
  bytes: number;
  /** In the order of arrival. Undefined: there were too many, and events are not held any more. */
  events: Set<LiveEvent> | undefined;
  readonly byKey: Map<string, LiveEvent>;
}

/** The key of a message in {@link LiveEvent}. */
export function toEventKey({ cursor, messageId }: { readonly cursor: string; readonly messageId: string }): string {
  return `${cursor} ${messageId}`;
}

/** The rooms of one connection in which events are held. */
interface SocketHolds {
  readonly rooms: Map<string, RoomHold>;
  events: number;
  bytes: number;
}

/**
 * Holds back the live events of a room on one connection while older messages are replayed to it, so that the messages of each
 * sender arrive in order. When too many events wait, those of the room are sent at once: each message still arrives, but some
 * before older ones.
 */
export class ReplayHolds {
  readonly #sockets = new WeakMap<AuthSocket, SocketHolds>();
  #bytes = 0;

  constructor(
    private readonly limits: {
      readonly events: number;
      readonly bytes: number;
      readonly bytesOfAll: number;
    } = HOLD_LIMITS,
  ) {}

  /** Holds events back from now on, until each call has been followed by one of {@link release}. */
  hold(socket: AuthSocket, room: string): void {
    const holds = this.#sockets.get(socket) ?? { rooms: new Map<string, RoomHold>(), events: 0, bytes: 0 };
    this.#sockets.set(socket, holds);
    const held = holds.rooms.get(room);
    if (held === undefined) holds.rooms.set(room, { holders: 1, bytes: 0, events: new Set(), byKey: new Map() });
    else held.holders += 1;
  }

  /** Sends what was held back, in its order, when this is the last holder. */
  release(socket: AuthSocket, room: string): void {
    const holds = this.#sockets.get(socket);
    const held = holds?.rooms.get(room);
    if (holds === undefined || held === undefined) return;
    held.holders -= 1;
    if (held.holders > 0) return;
    holds.rooms.delete(room);
    this.#sendAll(holds, held);
  }

  /**
   * Offers a live event.
   *
   * @returns whether it is held back. Else the caller sends it now
   */
  offer(socket: AuthSocket, room: string, event: LiveEvent): boolean {
    const holds = this.#sockets.get(socket);
    const held = holds?.rooms.get(room);
    if (holds === undefined || held?.events === undefined) return false;
    held.events.add(event);
    if (event.key !== undefined) held.byKey.set(event.key, event);
    this.#count(holds, held, 1, event.bytes);
    const { events, bytes: ofSocket, bytesOfAll } = this.limits;
    if (holds.events > events || holds.bytes > ofSocket || this.#bytes > bytesOfAll) this.#sendAll(holds, held);
    return true;
  }

  /** Drops a held event, because the replay has come to its message. @returns whether it was held */
  take(socket: AuthSocket, room: string, key: string): boolean {
    const holds = this.#sockets.get(socket);
    const held = holds?.rooms.get(room);
    const event = held?.byKey.get(key);
    if (holds === undefined || held === undefined || event === undefined) return false;
    held.byKey.delete(key);
    held.events?.delete(event);
    this.#count(holds, held, -1, -event.bytes);
    return true;
  }

  #count(holds: SocketHolds, held: RoomHold, events: number, bytes: number): void {
    held.bytes += bytes;
    holds.events += events;
    holds.bytes += bytes;
    this.#bytes += bytes;
  }

  /** Sends what is held back in a room, and holds nothing back there any more. */
  #sendAll(holds: SocketHolds, held: RoomHold): void {
    const events = [...(held.events ?? [])];
    held.events = undefined;
    held.byKey.clear();
    this.#count(holds, held, -events.length, -held.bytes);
    for (const { send } of events) send();
  }
}
