import { varint } from '../bytes.js';

/** A header as it is signed: name in lower case, value without surrounding whitespace. */
export type SignedHeader = readonly [name: string, value: string];

// The client sorts with localeCompare under whatever locale it has; for header names nearly all agree with English.
// Naming the locale keeps this process's own (LANG) out of it.
const byName = new Intl.Collator('en').compare;

/** varint(count), then for each header, sorted by name: varint + name, varint + value, as UTF-8. */
export function headerParts(headers: readonly SignedHeader[]): Uint8Array[] {
  const sorted = headers.toSorted(([a], [b]) => byName(a, b));
  return [
    varint(sorted.length),
    ...sorted.flatMap(([name, value]) => [...lengthAndText(name), ...lengthAndText(value)]),
  ];
}

/** varint(length in bytes), then the text. */
export function lengthAndText(text: string, encoding: 'utf8' | 'latin1' = 'utf8'): Uint8Array[] {
  const bytes = Buffer.from(text, encoding);
  return [varint(bytes.length), bytes];
}
