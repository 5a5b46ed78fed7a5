import { InvalidTransactionError } from './verify-errors.js';

/** Reads forward through bytes of a stranger. Every step checks that the bytes are there. */
export class ByteReader {
  position = 0;

  constructor(private readonly bytes: Uint8Array) {}

  get left(): number {
    return this.bytes.length - this.position;
  }

  take(length: number): Uint8Array {
    if (length > this.left) throw new InvalidTransactionError('malformed', 'The BEEF ends too early.');
    const taken = this.bytes.subarray(this.position, this.position + length);
    this.position += length;
    return taken;
  }

  /** What lies between an earlier position and here. */
  since(start: number): Uint8Array {
    return this.bytes.subarray(start, this.position);
  }

  uint8(): number {
    return this.view(1).getUint8(0);
  }

  uint32(): number {
    return this.view(4).getUint32(0, true);
  }

  uint64(): bigint {
    return this.view(8).getBigUint64(0, true);
  }

  /** A variable-length integer; one beyond 2^53 is taken for 2^53, which no limit lets pass. */
  varInt(): number {
    const first = this.uint8();
    if (first < 0xfd) return first;
    if (first === 0xfd) return this.view(2).getUint16(0, true);
    if (first === 0xfe) return this.uint32();
    const wide = this.uint64();
    return wide > BigInt(Number.MAX_SAFE_INTEGER) ? Number.MAX_SAFE_INTEGER : Number(wide);
  }

  /** A number of things of at least `size` bytes each, which therefore must have room in what is left. */
  count(size: number): number {
    const count = this.varInt();
    if (count * size > this.left) throw new InvalidTransactionError('malformed', 'The BEEF ends too early.');
    return count;
  }

  /** 32 bytes, in the reversed order in which hashes are written as hex. */
  hash(): string {
    return Buffer.from(this.take(32)).reverse().toString('hex');
  }

  private view(length: number): DataView {
    const { buffer, byteOffset } = this.take(length);
    return new DataView(buffer, byteOffset, length);
  }
}
