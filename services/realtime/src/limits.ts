import type { Rate } from '@messagebox/shared';

/** What protects a realtime process. Documented in docs/operating.md. */
export interface RealtimeLimits {
  /** New connections from one address. */
  readonly newSocketRate: Rate;
  readonly socketsPerAddress: number;
  /** Sockets that may be open at once without a proven identity, shared among addresses. */
  readonly unprovenSockets: number;
  readonly roomsPerSocket: number;
  /** Sockets that may be in one room on this instance: a message is signed once for each of them. */
  readonly socketsPerRoom: number;
  /** Events of one socket that are being answered. */
  readonly eventsUnderWay: number;
  /** Each socket without a proven identity has so many bytes for itself, and all of them share so many more. */
  readonly unprovenBytes: { readonly each: number; readonly shared: number };
  /** The same for frames that are still coming, of sockets whose identity is proven. */
  readonly frameBytes: { readonly each: number; readonly shared: number };
  /** Bytes that may wait for one slow client. */
  readonly bufferedBytes: number;
  /** Bytes that may wait for the slow clients of one identity, and for all of them. */
  readonly owedBytes: { readonly perIdentity: number; readonly total: number };
  /** What the events of one identity may cost in so many seconds: see the table of events. */
  readonly eventRate: Rate;
}

export const REALTIME_LIMITS: RealtimeLimits = {
  newSocketRate: { count: 3_000, seconds: 3 },
  socketsPerAddress: 12_000,
  unprovenSockets: 4_000,
  roomsPerSocket: 1_000,
  socketsPerRoom: 25,
  eventsUnderWay: 512,
  unprovenBytes: { each: 65_536, shared: 67_108_864 },
  frameBytes: { each: 65_536, shared: 134_217_728 },
  bufferedBytes: 67_108_864,
  owedBytes: { perIdentity: 134_217_728, total: 536_870_912 },
  eventRate: { count: 20_000, seconds: 10 },
};
