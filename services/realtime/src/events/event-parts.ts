import type { AuthSocket } from '@messagebox/brc103';
import type { LimitsHit, Logger, NormaliseKey, RoomMemory, RoomSubscriptions, SendParts } from '@messagebox/shared';

/** What the handlers of socket events are given. */
export interface EventParts extends SendParts {
  readonly rooms: RoomSubscriptions;
  readonly memory: RoomMemory;
  /** Sockets whose rooms were restored, or will be as soon as it is possible: once, however often a client says who it is. */
  readonly restored: WeakSet<AuthSocket>;
  readonly normaliseKey: NormaliseKey;
  readonly maxRooms: number;
  /** Sockets that may be in one room on this instance. */
  readonly maxSocketsInRoom: number;
  /** Sockets that are in a room on this instance, in whatever namespace. */
  socketsIn(room: string): number;
  /** Told of limits that are hit. */
  readonly limitsHit: LimitsHit;
  /** Bytes of a body that may be sent live. */
  readonly maxBodyBytes: number;
  readonly log: Logger;
}

/** One handler for each event name. It answers through the socket, and rejects only for what is our own fault. */
export type EventHandler = (parts: EventParts, socket: AuthSocket, data: unknown) => Promise<void>;
