import { malformedError } from './invalid-transaction-error.js';

/**
 * Reads the bytes of a stranger from front to back. Every method throws {@link InvalidTransactionError} `malformed` when
 * bytes are missing.
 */
export class ByteReader {
  position = 0;
  readonly #view: DataView;

  /** @param what the name of the data, for error messages */
  constructor(
    private readonly bytes: Uint8Array,
    private readonly what = 'data',
  ) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get remaining(): number {
    return this.bytes.length - this.position;
  }

  /** A view of the next bytes, not a copy. */
  readBytes(length: number): Uint8Array {
    const start = this.#advance(length);
    return this.bytes.subarray(start, start + length);
  }

  /** A view of the bytes between an earlier position and the current one. */
  sliceFrom(start: number): Uint8Array {
    return this.bytes.subarray(start, this.position);
  }

  readUint8(): number {
    return this.#view.getUint8(this.#advance(1));
  }

  readUint32(): number {
    return this.#view.getUint32(this.#advance(4), true);
  }

  readUint64(): bigint {
    return this.#view.getBigUint64(this.#advance(8), true);
  }

  /** Reads a variable-length integer. A value beyond 2^53 - 1 becomes 2^53 - 1, which exceeds every limit. */
  readVarInt(): number {
    const first = this.readUint8();
    if (first < 0xfd) return first;
    if (first === 0xfd) return this.#view.getUint16(this.#advance(2), true);
    if (first === 0xfe) return this.readUint32();
    const wide = this.readUint64();
    return wide > BigInt(Number.MAX_SAFE_INTEGER) ? Number.MAX_SAFE_INTEGER : Number(wide);
  }

  /** Reads the number of items that follow. With at least `size` bytes each, they must fit into the remaining bytes. */
  readCount(size: number): number {
    const count = this.readVarInt();
    if (count * size > this.remaining) throw this.#truncatedError();
    return count;
  }

  /** Reads 32 bytes as hex. Ids and hashes are written in the reverse order of the bytes. */
  readHash(): string {
    return Buffer.from(this.readBytes(32)).reverse().toString('hex');
  }

  /** Checks that no bytes are left. */
  assertEnd(): void {
    if (this.remaining > 0) throw malformedError(`There are bytes after the end of the ${this.what}.`);
  }

  #advance(length: number): number {
    if (length > this.remaining) throw this.#truncatedError();
    const start = this.position;
    this.position += length;
    return start;
  }

  #truncatedError() {
    return malformedError(`The ${this.what} ends too early.`);
  }
}

/** Is told how many objects come next, before they are made. Throws when there are too many. */
export type CountParts = (count: number) => void;

/** For bytes whose number is limited elsewhere. */
export const countNothing: CountParts = () => undefined;
