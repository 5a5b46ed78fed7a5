import { MESSAGE_LIMITS } from '@messagebox/messages';
import type { z } from 'zod';
import type { Rate } from '../limits/rate-limit.js';
import type { limitVariables } from './limit-variables.js';

/** The largest body of a request that is not a send: 1,000 ids of 255 characters, all of them escaped, have 1.5 MB. */
const MAX_OTHER_BODY_BYTES = 2_097_152;
/** A payment that fits into a request can be stored. A small one for many recipients becomes larger than its request. */
const MIN_PAID_MESSAGE_BYTES = { each: 8 * 1024 * 1024, all: 16 * 1024 * 1024 };
/** Most bytes of what is stored around a body and its payment. */
const WRAPPER_BYTES = 65_536;

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
  /** Bytes of a request's body on routes that are not sends. */
  readonly otherRequestBody: number;
  /** Bytes of messages, as JSON, in one response of /listMessages. */
  readonly list: number;
  /** Bytes of one message, as JSON in a list. */
  readonly listedBody: number;
  /**
   * Bytes of messages with a payment as they are stored, of each recipient and of all. Each paid recipient gets the whole
   * transaction as a JSON list of numbers, so a small request can become large.
   */
  readonly paidMessages: { readonly each: number; readonly all: number };
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
  /** Bytes of what is remembered of messages that are gone. */
  readonly receipts: { readonly bytes: number; readonly bytesPerSender: number };
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
    otherRequestBody: Math.min(variables.MAX_BODY_BYTES, MAX_OTHER_BODY_BYTES),
    list: variables.LIST_MAX_BYTES,
    // Who allows larger requests has clients that take larger answers.
    listedBody: Math.max(MESSAGE_LIMITS.listedBytes, variables.MAX_BODY_BYTES),
    paidMessages: {
      each: Math.max(MIN_PAID_MESSAGE_BYTES.each, variables.MAX_BODY_BYTES + WRAPPER_BYTES),
      all: Math.max(MIN_PAID_MESSAGE_BYTES.all, variables.MAX_BODY_BYTES + WRAPPER_BYTES),
    },
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
    receipts: { bytes: variables.MAX_RECEIPT_BYTES, bytesPerSender: variables.MAX_RECEIPT_BYTES_PER_SENDER },
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
