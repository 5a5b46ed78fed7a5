import { malformed } from './invalid-transaction-error.js';

/**
 * Reads forward through bytes of a stranger; every step checks that they are there.
 *
 * All steps throw {@link InvalidTransactionError} `malformed` when they are not.
 */
export class ByteReader {
  position = 0;
  readonly #view: DataView;

  /** @param what the bytes are, for the reason of a refusal */
  constructor(
    private readonly bytes: Uint8Array,
    private readonly what = 'data',
  ) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get left(): number {
    return this.bytes.length - this.position;
  }

  /** A view of the next bytes, not a copy. */
  take(length: number): Uint8Array {
    const start = this.#advance(length);
    return this.bytes.subarray(start, start + length);
  }

  /** What lies between an earlier position and here. */
  since(start: number): Uint8Array {
    return this.bytes.subarray(start, this.position);
  }

  uint8(): number {
    return this.#view.getUint8(this.#advance(1));
  }

  uint32(): number {
    return this.#view.getUint32(this.#advance(4), true);
  }

  uint64(): bigint {
    return this.#view.getBigUint64(this.#advance(8), true);
  }

  /** Bitcoin's variable-length integer. One beyond 2^53 is taken for 2^53, which no limit lets pass. */
  varInt(): number {
    const first = this.uint8();
    if (first < 0xfd) return first;
    if (first === 0xfd) return this.#view.getUint16(this.#advance(2), true);
    if (first === 0xfe) return this.uint32();
    const wide = this.uint64();
    return wide > BigInt(Number.MAX_SAFE_INTEGER) ? Number.MAX_SAFE_INTEGER : Number(wide);
  }

  /** A number of things of at least `size` bytes each, which must have room in what is left. */
  count(size: number): number {
    const count = this.varInt();
    if (count * size > this.left) throw this.#tooShort();
    return count;
  }

  /** 32 bytes in the order in which ids and hashes are written as hex, the reverse of the order in transactions. */
  hash(): string {
    return Buffer.from(this.take(32)).reverse().toString('hex');
  }

  /** Nothing may be left. */
  end(): void {
    if (this.left > 0) throw malformed(`There are bytes after the end of the ${this.what}.`);
  }

  #advance(length: number): number {
    if (length > this.left) throw this.#tooShort();
    const start = this.position;
    this.position += length;
    return start;
  }

  #tooShort() {
    return malformed(`The ${this.what} ends too early.`);
  }
}
