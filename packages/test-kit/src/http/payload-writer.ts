/** Writes the bytes that are signed for a request or a response (BRC-104). */
export class PayloadWriter {
  readonly #parts: Uint8Array[] = [];

  writeBytes(part: Uint8Array): this {
    this.#parts.push(part);
    return this;
  }

  /** Writes a number as a varint of Bitcoin. -1 stands for a missing value. */
  writeNumber(value: number): this {
    const part = Buffer.alloc(9);
    if (value === -1) return this.writeBytes(part.fill(0xff));
    if (value < 0xfd) return this.writeBytes(Uint8Array.of(value));
    if (value <= 0xffff) {
      part.writeUInt8(0xfd);
      part.writeUInt16LE(value, 1);
      return this.writeBytes(part.subarray(0, 3));
    }
    if (value <= 0xffff_ffff) {
      part.writeUInt8(0xfe);
      part.writeUInt32LE(value, 1);
      return this.writeBytes(part.subarray(0, 5));
    }
    part.writeUInt8(0xff);
    part.writeBigUInt64LE(BigInt(value), 1);
    return this.writeBytes(part);
  }

  /** Writes the length of the bytes, and then the bytes. */
  writeCounted(part: Uint8Array): this {
    return this.writeNumber(part.length).writeBytes(part);
  }

  writeText(value: string): this {
    return this.writeCounted(Buffer.from(value));
  }

  /** Writes the length of the bytes, and then the bytes. Writes -1 when there are none. */
  writeOptional(part: Uint8Array): this {
    return part.length === 0 ? this.writeNumber(-1) : this.writeCounted(part);
  }

  /** Writes headers, sorted by name. */
  writeHeaders(headers: readonly (readonly [string, string])[]): this {
    this.writeNumber(headers.length);
    for (const [name, value] of [...headers].sort(([a], [b]) => a.localeCompare(b)))
      this.writeText(name).writeText(value);
    return this;
  }

  finish(): Uint8Array {
    return Buffer.concat(this.#parts);
  }
}
