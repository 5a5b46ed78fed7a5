const ZERO = 0x30;
const COMMA = 0x2c;

/** Characters of the elements of a JSON list of these bytes, with the commas between them. */
export function countByteListCharacters(bytes: Uint8Array): number {
  let characters = Math.max(0, bytes.length - 1);
  for (const byte of bytes) characters += byte < 10 ? 1 : byte < 100 ? 2 : 3;
  return characters;
}

/**
 * The elements of a JSON list of these bytes, with the commas between them: `1,20,255`. A transaction may have megabytes, of
 * which `join` makes a text in four times the time.
 */
export function formatByteList(bytes: Uint8Array): string {
  const text = Buffer.allocUnsafe(countByteListCharacters(bytes) + 1);
  let end = 0;
  for (const byte of bytes) {
    if (byte >= 100) text[end++] = ZERO + Math.trunc(byte / 100);
    if (byte >= 10) text[end++] = ZERO + (Math.trunc(byte / 10) % 10);
    text[end++] = ZERO + (byte % 10);
    text[end++] = COMMA;
  }
  return text.toString('latin1', 0, Math.max(0, end - 1));
}
