/** What this file needs of a socket. */
interface Debtor {
  readonly bufferedBytes: number;
  readonly identityKey: string | undefined;
}

export interface OwedLimits {
  /** Bytes that may wait for the sockets of one identity together. */
  readonly perIdentity: number;
  /** Bytes that may wait for all sockets together. */
  readonly total: number;
}

/** A socket for which no more waits is not worth a look at all the others. */
const WORTH_A_LOOK_BYTES = 1_048_576;
/** All sockets are looked at no more often. Milliseconds. */
const LOOK_AT_ALL_EVERY_MS = 250;

/** Finds the sockets that are to be closed because too much waits for several of them together. */
export class OwedBytes<S extends Debtor> {
  #lookedAt = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly limits: OwedLimits,
    private readonly now: () => number,
  ) {}

  /**
   * To be asked after something was sent to a socket.
   *
   * @param siblings the sockets of the same identity
   * @param all sockets
   * @returns the one for which most waits, when that is too much together with others
   */
  findSlowest(socket: S, siblings: Iterable<S>, all: () => Iterable<S>): S | undefined {
    if (socket.bufferedBytes < WORTH_A_LOOK_BYTES) return undefined;
    const own = sum(siblings);
    if (own.bytes > this.limits.perIdentity) return own.slowest;
    if (this.now() - this.#lookedAt < LOOK_AT_ALL_EVERY_MS) return undefined;
    this.#lookedAt = this.now();
    const everybody = sum(all());
    return everybody.bytes > this.limits.total ? everybody.slowest : undefined;
  }
}

function sum<S extends Debtor>(sockets: Iterable<S>): { bytes: number; slowest: S | undefined } {
  let bytes = 0;
  let slowest: S | undefined;
  for (const socket of sockets) {
    bytes += socket.bufferedBytes;
    if (socket.bufferedBytes > (slowest?.bufferedBytes ?? 0)) slowest = socket;
  }
  return { bytes, slowest };
}
