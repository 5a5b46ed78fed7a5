/** A header: its name as it was given, and its value. */
export type Header = readonly [name: string, value: string];

/** The bytes of a body, or the first part of them. */
export interface RecordedBody {
  readonly bytes: Uint8Array;
  /** The length of the whole body. Undefined when only a part was read and the length was not announced. */
  readonly totalBytes: number | undefined;
  /** Why the bytes are not here: a stream or a form of which only the caller has the content. */
  readonly note?: string;
}

/** The answer to a request. */
export interface HttpAnswer {
  readonly status: number;
  readonly statusText: string;
  readonly headers: readonly Header[];
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** Undefined until the body has arrived. */
  body: RecordedBody | undefined;
}

/** One request over HTTP, and its answer as soon as it is there. */
export interface HttpExchange {
  readonly kind: 'http';
  readonly id: number;
  readonly via: 'fetch' | 'xhr';
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly method: string;
  /** Absolute. */
  readonly url: string;
  readonly requestHeaders: readonly Header[];
  requestBody: RecordedBody | undefined;
  answer: HttpAnswer | undefined;
  /** Why there is no answer. */
  failure: string | undefined;
}

/** One packet of engine.io: a message of a websocket, or a part of the body of a long poll. */
export interface SeenPacket {
  readonly kind: 'packet';
  readonly id: number;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly direction: 'sent' | 'received';
  readonly transport: 'polling' | 'websocket';
  /** The number of the websocket in this page, from 1. Undefined for long polls. */
  readonly socket: number | undefined;
  readonly url: string;
  /** The packet as text; a packet of bytes is empty text. Cut when it is long. */
  readonly text: string;
  /** The length of the whole packet in characters, or in bytes for bytes. */
  readonly totalLength: number;
  /** The long poll that carried the packet. */
  readonly carrier: HttpExchange | undefined;
}

/** A websocket was opened or has ended. */
export interface SocketNotice {
  readonly kind: 'socket';
  readonly id: number;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly socket: number;
  readonly url: string;
  readonly state: 'closed' | 'failed' | 'opened' | 'opening';
  /** The close code (RFC 6455, section 7.4) and reason. */
  readonly detail: string;
}

/** Something that crossed the wire. */
export type TrafficRecord = SeenPacket | HttpExchange | SocketNotice;

/** What the observers report to. None of its methods throws. */
export interface TrafficSink {
  /** The next number for a record or a socket. */
  nextId(): number;
  add(record: TrafficRecord): void;
  /** An exchange that was added has changed. */
  change(record: HttpExchange): void;
}

/** The most bytes of one body that are kept. */
export const MAX_BODY_BYTES = 1024 * 1024;
/** The most characters of one packet that are kept. A payload is an array of numbers: about four characters for each byte. */
export const MAX_PACKET_CHARACTERS = 4 * 1024 * 1024;

/** Keeps the first {@link MAX_BODY_BYTES} of a body, as a copy that the caller cannot change. */
export function keepBody(bytes: Uint8Array, totalBytes: number | undefined = bytes.length): RecordedBody {
  return { bytes: Uint8Array.from(bytes.subarray(0, MAX_BODY_BYTES)), totalBytes };
}
