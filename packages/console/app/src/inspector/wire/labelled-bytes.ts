import { concatBytes, encodeUtf8, encodeVarint } from './bytes.js';

/** What a range of bytes is for. The view gives each of them a colour, and always its label as text too. */
export type RangeKind =
  | 'body'
  | 'header'
  | 'id'
  | 'length'
  | 'mac'
  | 'method'
  | 'nonce'
  | 'path'
  | 'random'
  | 'search'
  | 'signature'
  | 'status'
  | 'time';

/** A part of a byte string. */
export interface ByteRange {
  /** The offset of the first byte. */
  readonly start: number;
  /** The offset after the last byte. */
  readonly end: number;
  readonly kind: RangeKind;
  /** The name of the part, such as `path`. */
  readonly label: string;
  /** The part in words, such as `/sendMessage`. Text of others: the view shows it as plain text. */
  readonly meaning: string;
}

/** Bytes, and the name of each part. The ranges are in order and leave no gap. */
export interface LabelledBytes {
  readonly bytes: Uint8Array;
  readonly ranges: readonly ByteRange[];
  /** How many bytes follow that were not kept, because the body was large. 0 when nothing is missing. */
  readonly missingBytes: number;
}

/** Builds labelled bytes from their parts, in order. */
export class LabelledBytesBuilder {
  readonly #parts: Uint8Array[] = [];
  readonly #ranges: ByteRange[] = [];
  #offset = 0;

  /** Appends bytes as they are. An empty part has no range. */
  add(bytes: Uint8Array, kind: RangeKind, label: string, meaning: string): this {
    if (bytes.length === 0) return this;
    this.#parts.push(bytes);
    this.#ranges.push({ start: this.#offset, end: this.#offset + bytes.length, kind, label, meaning });
    this.#offset += bytes.length;
    return this;
  }

  /** Appends a number as a varint; -1 says that a value is missing. */
  addVarint(value: number, label: string, meaning: string = String(value)): this {
    return this.add(encodeVarint(value), 'length', label, meaning);
  }

  /** Appends a text as BRC-104 does: varint(length in bytes), then UTF-8. */
  addText(text: string, kind: RangeKind, label: string): this {
    const bytes = encodeUtf8(text);
    return this.addVarint(bytes.length, `length of the ${label}`).add(bytes, kind, label, text);
  }

  /** @param missingBytes how many bytes follow that were not kept */
  build(missingBytes = 0): LabelledBytes {
    return { bytes: concatBytes(this.#parts), ranges: this.#ranges, missingBytes };
  }
}
