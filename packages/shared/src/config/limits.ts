import type { z } from 'zod';
import type { Rate } from '../limits/rate-limit.js';
import type { limitVariables } from './limit-variables.js';

/** The limits that an operator may change. docs/limits.md describes each of them. */
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
    /** Bytes of uploads that are announced. */
    readonly uploadBytes: Rate;
  };
  /** Bytes of an HTTP request's body. */
  readonly requestBody: number;
  /** Bytes of messages, as JSON, in one response of /listMessages. */
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
  readonly uploads: {
    /** Bytes of one upload; 0: there are none. */
    readonly bytes: number;
    readonly openPerIdentity: number;
    readonly totalBytes: number;
  };
  readonly overlay: {
    readonly submissions: Rate;
    readonly requests: Rate;
    readonly inFlight: { readonly requests: number; readonly bodyBytes: number };
    readonly answerBytes: number;
  };
}

type ParsedLimitVariables = { readonly [Name in keyof typeof limitVariables]: z.output<(typeof limitVariables)[Name]> };

/** Groups the limits by subject. */
export function toLimits(variables: ParsedLimitVariables): Limits {
  return {
    rates: {
      handshakes: variables.RATE_HANDSHAKES_PER_ADDRESS,
      failures: variables.RATE_FAILURES_PER_ADDRESS,
      requests: variables.RATE_REQUESTS_PER_IDENTITY,
      sends: variables.RATE_SENDS_PER_IDENTITY,
      sentBytes: variables.RATE_SENT_BYTES_PER_IDENTITY,
      events: variables.RATE_EVENTS_PER_IDENTITY,
      newSockets: variables.RATE_NEW_SOCKETS_PER_ADDRESS,
      migrations: variables.RATE_MIGRATE_ATTEMPTS_PER_ADDRESS,
      uploadBytes: variables.RATE_UPLOAD_BYTES_PER_ADDRESS,
    },
    requestBody: variables.MAX_BODY_BYTES,
    list: variables.LIST_MAX_BYTES,
    recipients: variables.MAX_RECIPIENTS,
    acknowledgedIds: variables.MAX_ACKNOWLEDGED_IDS,
    inFlight: { requests: variables.MAX_REQUESTS_UNDER_WAY, bodyBytes: variables.MAX_BODY_BYTES_UNDER_WAY },
    answerBytes: variables.MAX_ANSWER_BYTES_HELD,
    waitingPerAddress: variables.MAX_WAITING_WORK_PER_ADDRESS,
    requestShape: {
      pathBytes: variables.MAX_PATH_BYTES,
      headers: variables.MAX_HEADERS,
      signedHeaders: variables.MAX_SIGNED_HEADERS,
    },
    liveBody: variables.LIVE_MAX_BODY,
    sockets: {
      perAddress: variables.MAX_SOCKETS_PER_ADDRESS,
      perIdentity: variables.MAX_SOCKETS_PER_IDENTITY,
      perRoom: variables.MAX_SOCKETS_PER_ROOM,
      rooms: variables.MAX_ROOMS_PER_SOCKET,
      eventsUnderWay: variables.MAX_EVENTS_UNDER_WAY_PER_SOCKET,
      unproven: variables.MAX_UNPROVEN_SOCKETS,
      unprovenBytes: variables.MAX_UNPROVEN_BYTES,
      frameBytes: variables.MAX_UNFINISHED_FRAME_BYTES,
      waiting: {
        bytes: variables.MAX_WAITING_BYTES_PER_SOCKET,
        events: variables.MAX_WAITING_EVENTS_PER_SOCKET,
        bytesOfIdentity: variables.MAX_WAITING_BYTES_PER_IDENTITY,
        bytesOfAll: variables.MAX_WAITING_BYTES,
      },
    },
    permissions: variables.MAX_PERMISSIONS_PER_IDENTITY,
    devices: variables.MAX_DEVICES_PER_IDENTITY,
    uploads: {
      bytes: variables.UPLOAD_MAX_BYTES,
      openPerIdentity: variables.MAX_OPEN_UPLOADS_PER_IDENTITY,
      totalBytes: variables.UPLOADS_MAX_TOTAL_BYTES,
    },
    overlay: {
      submissions: variables.RATE_OVERLAY_SUBMISSIONS_PER_ADDRESS,
      requests: variables.RATE_OVERLAY_REQUESTS_PER_ADDRESS,
      inFlight: {
        requests: variables.OVERLAY_MAX_REQUESTS_UNDER_WAY,
        bodyBytes: variables.OVERLAY_MAX_BODY_BYTES_UNDER_WAY,
      },
      answerBytes: variables.OVERLAY_MAX_ANSWER_BYTES_HELD,
    },
  };
}
