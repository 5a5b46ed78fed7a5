import type { OutputWithBeef } from '../engine/share-answer.js';

/** The JSON text of each byte in a list, with a comma after it. */
const BYTE_TEXTS = Array.from({ length: 256 }, (_, byte) => Buffer.from(`${byte},`, 'latin1'));

/**
 * Serializes an answer to a lookup in its JSON form, in which BEEFs are lists of numbers. Writes byte by byte, because
 * `JSON.stringify` would need an array of numbers with eight times the memory, and several times as long.
 */
export function serializeLookupJson(outputs: readonly OutputWithBeef[]): Buffer {
  const parts: Buffer[] = [Buffer.from('{"type":"output-list","outputs":[')];
  for (const [index, { beef, outputIndex }] of outputs.entries()) {
    const end = `],"outputIndex":${outputIndex}}`;
    parts.push(Buffer.from(`${index === 0 ? '' : ','}{"beef":[`), serializeBytes(beef), Buffer.from(end));
  }
  parts.push(Buffer.from(']}'));
  return Buffer.concat(parts);
}

function serializeBytes(bytes: Buffer): Buffer {
  let length = 0;
  for (const byte of bytes) length += byte < 10 ? 2 : byte < 100 ? 3 : 4;
  const written = Buffer.allocUnsafe(length);
  let at = 0;
  for (const byte of bytes) {
    const digits = BYTE_TEXTS[byte] as Buffer;
    for (let i = 0; i < digits.length; i++) written[at++] = digits[i] as number;
  }
  return written.subarray(0, Math.max(0, length - 1)); // without the last comma
}
