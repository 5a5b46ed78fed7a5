import type { z } from 'zod';
import type { Rate } from '../limits/rate-limit.js';
import type { limitVariables } from './limit-variables.js';

/** The limits that an operator may change. What each bounds, and what happens beyond it, is in docs/limits.md. */
export interface Limits {
  readonly rates: {
    readonly handshakes: Rate;
    readonly failures: Rate;
    readonly requests: Rate;
    readonly sends: Rate;
    readonly sentBytes: Rate;
    readonly events: Rate;
    readonly newSockets: Rate;
    readonly migrations: Rate;
  };
  /** Bytes of an HTTP request's body. */
  readonly requestBody: number;
  /** Sum of the bytes of the bodies in one answer of /listMessages. */
  readonly list: number;
  /** Recipients of one send or quote. */
  readonly recipients: number;
  readonly acknowledgedIds: number;
  readonly inFlight: { readonly requests: number; readonly bodyBytes: number };
  readonly answerBytes: number;
  readonly waitingPerAddress: number;
  readonly requestShape: { readonly pathBytes: number; readonly headers: number; readonly signedHeaders: number };
  /** Bytes of a body that is sent or pushed live. */
  readonly liveBody: number;
  readonly sockets: {
    readonly perAddress: number;
    readonly perIdentity: number;
    readonly perRoom: number;
    readonly rooms: number;
    readonly eventsUnderWay: number;
    readonly unproven: number;
    readonly unprovenBytes: number;
    readonly frameBytes: number;
    readonly waiting: {
      readonly bytes: number;
      readonly events: number;
      readonly bytesOfIdentity: number;
      readonly bytesOfAll: number;
    };
  };
  readonly permissions: number;
  readonly devices: number;
  readonly overlay: {
    readonly submissions: Rate;
    readonly requests: Rate;
    readonly inFlight: { readonly requests: number; readonly bodyBytes: number };
    readonly answerBytes: number;
  };
}

type Read = { readonly [Name in keyof typeof limitVariables]: z.output<(typeof limitVariables)[Name]> };

/** @param v the variables as they were read */
export function limitsOf(v: Read): Limits {
  return {
    rates: {
      handshakes: v.RATE_HANDSHAKES_PER_ADDRESS,
      failures: v.RATE_FAILURES_PER_ADDRESS,
      requests: v.RATE_REQUESTS_PER_IDENTITY,
      sends: v.RATE_SENDS_PER_IDENTITY,
      sentBytes: v.RATE_SENT_BYTES_PER_IDENTITY,
      events: v.RATE_EVENTS_PER_IDENTITY,
      newSockets: v.RATE_NEW_SOCKETS_PER_ADDRESS,
      migrations: v.RATE_MIGRATE_ATTEMPTS_PER_ADDRESS,
    },
    requestBody: v.MAX_BODY_BYTES,
    list: v.LIST_MAX_BYTES,
    recipients: v.MAX_RECIPIENTS,
    acknowledgedIds: v.MAX_ACKNOWLEDGED_IDS,
    inFlight: { requests: v.MAX_REQUESTS_UNDER_WAY, bodyBytes: v.MAX_BODY_BYTES_UNDER_WAY },
    answerBytes: v.MAX_ANSWER_BYTES_HELD,
    waitingPerAddress: v.MAX_WAITING_WORK_PER_ADDRESS,
    requestShape: {
      pathBytes: v.MAX_PATH_BYTES,
      headers: v.MAX_HEADERS,
      signedHeaders: v.MAX_SIGNED_HEADERS,
    },
    liveBody: v.LIVE_MAX_BODY,
    sockets: {
      perAddress: v.MAX_SOCKETS_PER_ADDRESS,
      perIdentity: v.MAX_SOCKETS_PER_IDENTITY,
      perRoom: v.MAX_SOCKETS_PER_ROOM,
      rooms: v.MAX_ROOMS_PER_SOCKET,
      eventsUnderWay: v.MAX_EVENTS_UNDER_WAY_PER_SOCKET,
      unproven: v.MAX_UNPROVEN_SOCKETS,
      unprovenBytes: v.MAX_UNPROVEN_BYTES,
      frameBytes: v.MAX_UNFINISHED_FRAME_BYTES,
      waiting: {
        bytes: v.MAX_WAITING_BYTES_PER_SOCKET,
        events: v.MAX_WAITING_EVENTS_PER_SOCKET,
        bytesOfIdentity: v.MAX_WAITING_BYTES_PER_IDENTITY,
        bytesOfAll: v.MAX_WAITING_BYTES,
      },
    },
    permissions: v.MAX_PERMISSIONS_PER_IDENTITY,
    devices: v.MAX_DEVICES_PER_IDENTITY,
    overlay: {
      submissions: v.RATE_OVERLAY_SUBMISSIONS_PER_ADDRESS,
      requests: v.RATE_OVERLAY_REQUESTS_PER_ADDRESS,
      inFlight: { requests: v.OVERLAY_MAX_REQUESTS_UNDER_WAY, bodyBytes: v.OVERLAY_MAX_BODY_BYTES_UNDER_WAY },
      answerBytes: v.OVERLAY_MAX_ANSWER_BYTES_HELD,
    },
  };
}
