import { encodeVarint } from '../bytes.js';

/** A header as it is signed: the name in lower case, and the value without surrounding whitespace. */
export type SignedHeader = readonly [name: string, value: string];

// Clients sort with localeCompare in their own locale. For header names, nearly all locales agree with English. The locale is
// named here so that the environment of this process (LANG) has no effect.
const compareHeaderNames = new Intl.Collator('en').compare;

/** Encodes headers: varint(count), then for each header, sorted by name, its name and value as {@link encodeText}. */
export function encodeHeaders(headers: readonly SignedHeader[]): Uint8Array[] {
  const sorted = headers.toSorted(([a], [b]) => compareHeaderNames(a, b));
  return [
    encodeVarint(sorted.length),
    ...sorted.flatMap(([name, value]) => [...encodeText(name), ...encodeText(value)]),
  ];
}

/** Encodes a text: varint(length in bytes), then the bytes. */
export function encodeText(text: string, encoding: 'utf8' | 'latin1' = 'utf8'): Uint8Array[] {
  const bytes = Buffer.from(text, encoding);
  return [encodeVarint(bytes.length), bytes];
}
