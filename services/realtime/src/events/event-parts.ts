import type { AuthSocket } from '@messagebox/brc103';
import type { Logger, NormaliseKey, RateLimit, RoomMemory, RoomSubscriptions, SendParts } from '@messagebox/shared';

/** What the handlers of socket events are given. */
export interface EventParts extends SendParts {
  readonly rooms: RoomSubscriptions;
  readonly memory: RoomMemory;
  /** Sockets whose rooms could not be recalled, and will be tried again: one try for each, however often it says who it is. */
  readonly awaitingRooms: WeakSet<AuthSocket>;
  readonly normaliseKey: NormaliseKey;
  readonly eventRate: RateLimit;
  readonly maxRooms: number;
  /** Bytes of a body that may be sent live. */
  readonly maxBodyBytes: number;
  readonly log: Logger;
}

/** One handler for each event name. It answers through the socket, and rejects only for what is our own fault. */
export type EventHandler = (parts: EventParts, socket: AuthSocket, data: unknown) => Promise<void>;
