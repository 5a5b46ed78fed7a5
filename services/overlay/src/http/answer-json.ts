import type { FoundOutput } from '../engine/overlay-storage.js';

/** Each byte as it stands in a list, with a comma behind it. */
const WRITTEN = Array.from({ length: 256 }, (_, byte) => Buffer.from(`${byte},`, 'latin1'));

/**
 * The JSON form of an answer to a lookup, in which BEEFs are lists of numbers. Written byte by byte: `JSON.stringify`
 * would need an array of numbers for each, of eight times its size, and several times as long.
 */
export function answerJson(outputs: readonly FoundOutput[]): Buffer {
  const parts: Buffer[] = [Buffer.from('{"type":"output-list","outputs":[')];
  for (const [index, { beef, outputIndex }] of outputs.entries()) {
    const end = `],"outputIndex":${outputIndex}}`;
    parts.push(Buffer.from(`${index === 0 ? '' : ','}{"beef":[`), numbers(beef), Buffer.from(end));
  }
  parts.push(Buffer.from(']}'));
  return Buffer.concat(parts);
}

function numbers(bytes: Buffer): Buffer {
  let length = 0;
  for (const byte of bytes) length += byte < 10 ? 2 : byte < 100 ? 3 : 4;
  const written = Buffer.allocUnsafe(length);
  let at = 0;
  for (const byte of bytes) {
    const digits = WRITTEN[byte] as Buffer;
    for (let i = 0; i < digits.length; i++) written[at++] = digits[i] as number;
  }
  return written.subarray(0, Math.max(0, length - 1)); // without the last comma
}
