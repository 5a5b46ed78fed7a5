/** The limits of each socket. */
export interface AuthSocketLimits {
  /** How long a session nonce is accepted on a socket. It may be longer than over HTTP. Milliseconds. */
  readonly maxSessionAgeMs: number;
  /** How long a client may take to prove its identity before its socket is closed. Milliseconds. */
  readonly authTimeoutMs: number;
  /** The largest payload of an event from a client. Bytes. */
  readonly maxPayloadBytes: number;
  /** The largest frame from a client, in which a byte of payload takes up to four characters. Bytes. */
  readonly maxFrameBytes: number;
  /** Bytes that may be buffered for a slow client. Above it the connection is closed, and the client reconnects. */
  readonly maxBufferedBytes: number;
  /** Events that may be queued for a slow client. Above it the connection is closed too. Default: 16,384. */
  readonly maxQueuedEvents?: number;
  /** How many frames are signed in one session before it is renewed. Default: 50,000. */
  readonly maxFramesPerSession?: number;
}
