/** Puts the bytes together that are signed for a request or an answer (BRC-104). */
export class PayloadWriter {
  readonly #parts: Uint8Array[] = [];

  bytes(part: Uint8Array): this {
    this.#parts.push(part);
    return this;
  }

  /** A number as Bitcoin writes it; -1 stands for nothing. */
  number(value: number): this {
    const part = Buffer.alloc(9);
    if (value === -1) return this.bytes(part.fill(0xff));
    if (value < 0xfd) return this.bytes(Uint8Array.of(value));
    if (value <= 0xffff) {
      part.writeUInt8(0xfd);
      part.writeUInt16LE(value, 1);
      return this.bytes(part.subarray(0, 3));
    }
    if (value <= 0xffff_ffff) {
      part.writeUInt8(0xfe);
      part.writeUInt32LE(value, 1);
      return this.bytes(part.subarray(0, 5));
    }
    part.writeUInt8(0xff);
    part.writeBigUInt64LE(BigInt(value), 1);
    return this.bytes(part);
  }

  /** Bytes with their length before them. */
  counted(part: Uint8Array): this {
    return this.number(part.length).bytes(part);
  }

  text(value: string): this {
    return this.counted(Buffer.from(value));
  }

  /** Bytes with their length before them, -1 where there are none. */
  optional(part: Uint8Array): this {
    return part.length === 0 ? this.number(-1) : this.counted(part);
  }

  /** Headers in the order of their names. */
  headers(headers: readonly (readonly [string, string])[]): this {
    this.number(headers.length);
    for (const [name, value] of [...headers].sort(([a], [b]) => a.localeCompare(b))) this.text(name).text(value);
    return this;
  }

  finish(): Uint8Array {
    return Buffer.concat(this.#parts);
  }
}
