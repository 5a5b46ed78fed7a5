/** Encodings of bytes that browsers and Node both offer. Nothing here depends on a library. */

const utf8Encoder = new TextEncoder();
const utf8Decoder = new TextDecoder('utf-8', { fatal: true });

/** Encodes a text as UTF-8. */
export const encodeUtf8 = (text: string): Uint8Array => utf8Encoder.encode(text);

/** Decodes UTF-8; undefined when the bytes are not UTF-8. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return utf8Decoder.decode(bytes);
  } catch {
    return undefined;
  }
}

/** Lower-case hex. */
export function toHex(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += byte.toString(16).padStart(2, '0');
  return text;
}

/** Decodes hex of either case; undefined for anything else. */
export function fromHex(text: string): Uint8Array | undefined {
  if (text.length % 2 !== 0 || !/^[0-9a-f]*$/i.test(text)) return undefined;
  return Uint8Array.from({ length: text.length / 2 }, (_, i) => Number.parseInt(text.slice(i * 2, i * 2 + 2), 16));
}

/** Standard base64 with padding. */
export function toBase64(bytes: Uint8Array): string {
  let binary = '';
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary);
}

/** Decodes standard base64; undefined for anything else. */
export function fromBase64(text: string): Uint8Array | undefined {
  try {
    return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  } catch {
    return undefined;
  }
}

/** Whether two byte strings are the same. */
export function areEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

/** Joins byte strings. */
export function concatBytes(parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    joined.set(part, offset);
    offset += part.length;
  }
  return joined;
}

/** Bitcoin's variable-length integer: 1, 3, 5 or 9 bytes, little-endian. BRC-104 writes -1 for a value that is missing. */
export function encodeVarint(value: number): Uint8Array {
  if (value === -1) return new Uint8Array(9).fill(0xff);
  if (!Number.isSafeInteger(value) || value < 0) throw new RangeError('A varint must be a whole number of -1 or more');
  if (value < 0xfd) return Uint8Array.of(value);
  const bytes = value <= 0xffff ? new Uint8Array(3) : value <= 0xffffffff ? new Uint8Array(5) : new Uint8Array(9);
  const view = new DataView(bytes.buffer);
  bytes[0] = bytes.length === 3 ? 0xfd : bytes.length === 5 ? 0xfe : 0xff;
  if (bytes.length === 3) view.setUint16(1, value, true);
  else if (bytes.length === 5) view.setUint32(1, value, true);
  else view.setBigUint64(1, BigInt(value), true);
  return bytes;
}

/** SHA-256, by the browser's own implementation. Undefined where there is none, as on plain http of another host. */
export async function sha256(bytes: Uint8Array): Promise<Uint8Array | undefined> {
  const subtle = globalThis.crypto?.subtle;
  if (subtle === undefined) return undefined;
  return new Uint8Array(await subtle.digest('SHA-256', Uint8Array.from(bytes)));
}
