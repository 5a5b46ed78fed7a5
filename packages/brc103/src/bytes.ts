/**
 * Decodes canonical base64 (RFC 4648 section 4): standard alphabet, padding, unused bits zero, no whitespace. A
 * lenient decoder accepts several spellings of one value, and so a check of one spelling could be evaded with another.
 *
 * @param minBytes the minimum length of the result
 * @param maxBytes the maximum length of the result
 * @returns undefined for any other value of any type
 */
export function decodeBase64(text: unknown, minBytes: number, maxBytes: number): Buffer | undefined {
  if (typeof text !== 'string' || text.length > Math.ceil(maxBytes / 3) * 4) return undefined;
  const bytes = Buffer.from(text, 'base64');
  if (bytes.length < minBytes || bytes.length > maxBytes) return undefined;
  return bytes.toString('base64') === text ? bytes : undefined;
}

/**
 * Decodes lower-case hex.
 *
 * @param maxBytes the maximum length of the result
 * @returns undefined for anything else, including the empty string
 */
export function decodeHex(text: unknown, maxBytes: number): Buffer | undefined {
  if (typeof text !== 'string' || text.length === 0 || text.length > maxBytes * 2 || text.length % 2 !== 0) {
    return undefined;
  }
  return /^[0-9a-f]+$/.test(text) ? Buffer.from(text, 'hex') : undefined;
}

/** The length that BRC-104 writes for a missing value: -1 as an unsigned 64-bit varint. */
export const VARINT_NO_VALUE: Uint8Array = new Uint8Array(9).fill(0xff);

/**
 * Encodes Bitcoin's variable-length integer, little-endian: 1, 3, 5 or 9 bytes.
 *
 * @param value a safe integer of 0 or more; for -1 see {@link VARINT_NO_VALUE}
 * @throws {RangeError} for anything else
 */
export function encodeVarint(value: number): Buffer {
  if (!Number.isSafeInteger(value) || value < 0) throw new RangeError('A varint must be a safe integer of 0 or more');
  if (value < 0xfd) return Buffer.of(value);
  if (value <= 0xffff) {
    const bytes = Buffer.of(0xfd, 0, 0);
    bytes.writeUInt16LE(value, 1);
    return bytes;
  }
  if (value <= 0xffffffff) {
    const bytes = Buffer.of(0xfe, 0, 0, 0, 0);
    bytes.writeUInt32LE(value, 1);
    return bytes;
  }
  const bytes = Buffer.alloc(9, 0xff);
  bytes.writeBigUInt64LE(BigInt(value), 1);
  return bytes;
}
