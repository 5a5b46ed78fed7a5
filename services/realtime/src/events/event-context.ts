import type { AuthSocket } from '@messagebox/brc103/socket-io';
import type { ParseSendOptions, RoomSubscriptions, SendMessagesOptions } from '@messagebox/messages';
import type { LimitHitReporter, Logger, RoomMemory, Tracer } from '@messagebox/shared';
import type { ConnectionRooms } from '../replay/connection-rooms.js';
import type { RecentRestores } from '../replay/recent-restores.js';
import type { Replays } from '../replay/replays.js';

/** Everything that the handlers of socket events use. */
export interface EventContext extends SendMessagesOptions, ParseSendOptions {
  readonly rooms: RoomSubscriptions;
  readonly memory: RoomMemory;
  readonly connectionRooms: ConnectionRooms;
  readonly replays: Replays;
  readonly restores: RecentRestores;
  /**
   * By socket: resolves when its rooms were restored, or when that takes too long to be waited for. This happens once for each
   * socket.
   */
  readonly restoring: WeakMap<AuthSocket, Promise<void>>;
  /** Rooms that one socket may be in. */
  readonly maxRooms: number;
  /** Sockets that may be in one room on this instance. */
  readonly maxSocketsInRoom: number;
  /** Counts the sockets in a room on this instance, in all namespaces. */
  countSocketsIn(room: string): number;
  readonly limitsHit: LimitHitReporter;
  readonly tracer: Tracer;
  /** The largest body that may be sent live, in bytes. */
  readonly maxBodyBytes: number;
  readonly log: Logger;
}

/** Handles the events of one name. It answers through the socket, and rejects only for faults of the server. */
export type EventHandler = (context: EventContext, socket: AuthSocket, data: unknown) => Promise<void>;
