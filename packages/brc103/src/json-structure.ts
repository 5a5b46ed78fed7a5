/** How much structure a JSON text may have. */
export interface JsonLimits {
  /** Objects and arrays, all in all. */
  readonly containers: number;
  /** Names of properties, all in all. */
  readonly keys: number;
  /** Containers within each other. */
  readonly depth: number;
}

/** More than any client in use sends: their own bounds are 100,000 values and a depth of 64. */
export const MAX_JSON: JsonLimits = { containers: 100_000, keys: 100_000, depth: 128 };

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/**
 * Finds out, without parsing, whether a JSON text would become more objects than its size suggests: two bytes of `{}` take
 * some thirty times as much memory once they are parsed. Numbers and texts are not counted, as they take little more than
 * they are long, and transactions are sent as arrays of millions of numbers.
 *
 * @param json UTF-8, or the text itself; what is no JSON is judged all the same
 * @returns what there is too much of; undefined when it may be parsed
 */
export function excessOfJson(json: Uint8Array | string, limits: JsonLimits = MAX_JSON): keyof JsonLimits | undefined {
  const bytes = typeof json === 'string' ? Buffer.from(json, 'utf8') : json;
  let containers = 0;
  let keys = 0;
  let depth = 0;
  for (let i = 0; i < bytes.length; i++) {
    switch (bytes[i]) {
      case QUOTE:
        i = endOfText(bytes, i + 1);
        break;
      case COLON:
        keys += 1;
        if (keys > limits.keys) return 'keys';
        break;
      case OPEN_ARRAY:
      case OPEN_OBJECT:
        containers += 1;
        depth += 1;
        if (containers > limits.containers) return 'containers';
        if (depth > limits.depth) return 'depth';
        break;
      case CLOSE_ARRAY:
      case CLOSE_OBJECT:
        depth -= 1;
        break;
      default:
    }
  }
  return undefined;
}

/** @returns where the closing quote is, or the length when there is none */
function endOfText(bytes: Uint8Array, start: number): number {
  let i = start;
  while (i < bytes.length && bytes[i] !== QUOTE) i += bytes[i] === BACKSLASH ? 2 : 1;
  return i;
}
