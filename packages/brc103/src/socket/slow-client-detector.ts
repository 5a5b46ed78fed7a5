/** The part of a socket that this file uses. */
interface BufferingSocket {
  readonly bufferedBytes: number;
  readonly identityKey: string | undefined;
}

/** How much may be buffered for slow clients. */
export interface SendBufferLimits {
  /** Bytes that may be buffered for all sockets of one identity. */
  readonly maxBytesPerIdentity: number;
  /** Bytes that may be buffered for all sockets. */
  readonly maxBytesTotal: number;
}

/** Only a socket with at least this much buffered causes a check of the others. */
const MIN_CHECKED_BYTES = 1_048_576;
/** The minimum time between two checks of all sockets. */
const FULL_CHECK_INTERVAL_MS = 250;

/** Finds the sockets to close when too much is buffered for several sockets together. */
export class SlowClientDetector<S extends BufferingSocket> {
  #lastFullCheckAt = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly limits: SendBufferLimits,
    private readonly now: () => number,
  ) {}

  /**
   * Checks the limits after an event was sent to `socket`.
   *
   * @param siblings the sockets of the same identity
   * @param all sockets
   * @returns the socket with the largest buffer when a limit is exceeded, or else undefined
   */
  findSlowest(socket: S, siblings: Iterable<S>, all: () => Iterable<S>): S | undefined {
    if (socket.bufferedBytes < MIN_CHECKED_BYTES) return undefined;
    const own = sumBufferedBytes(siblings);
    if (own.bytes > this.limits.maxBytesPerIdentity) return own.slowest;
    if (this.now() - this.#lastFullCheckAt < FULL_CHECK_INTERVAL_MS) return undefined;
    this.#lastFullCheckAt = this.now();
    const everybody = sumBufferedBytes(all());
    return everybody.bytes > this.limits.maxBytesTotal ? everybody.slowest : undefined;
  }
}

function sumBufferedBytes<S extends BufferingSocket>(sockets: Iterable<S>): { bytes: number; slowest: S | undefined } {
  let bytes = 0;
  let slowest: S | undefined;
  for (const socket of sockets) {
    bytes += socket.bufferedBytes;
    if (socket.bufferedBytes > (slowest?.bufferedBytes ?? 0)) slowest = socket;
  }
  return { bytes, slowest };
}
