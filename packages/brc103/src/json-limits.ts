/** How much structure a JSON document may have. */
export interface JsonLimits {
  /** The number of objects and arrays. */
  readonly containers: number;
  /** The number of property names. */
  readonly keys: number;
  /** The nesting depth. */
  readonly depth: number;
}

/** The default limits. Current clients send less: they allow 100,000 values and a depth of 64. */
export const DEFAULT_JSON_LIMITS: JsonLimits = { containers: 100_000, keys: 100_000, depth: 128 };

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/**
 * Checks, without parsing, whether a JSON document exceeds limits of structure. Two bytes of `{}` take about thirty times as
 * much memory once they are parsed. Numbers and strings are not counted: they take little more memory than their length, and
 * transactions are sent as arrays of millions of numbers.
 *
 * @param json UTF-8 bytes or a string, which need not be valid JSON
 * @returns the name of the limit that is exceeded; undefined when the document may be parsed
 */
export function findExceededJsonLimit(
  json: Uint8Array | string,
  limits: JsonLimits = DEFAULT_JSON_LIMITS,
): keyof JsonLimits | undefined {
  const bytes = typeof json === 'string' ? Buffer.from(json, 'utf8') : json;
  let containers = 0;
  let keys = 0;
  let depth = 0;
  for (let i = 0; i < bytes.length; i++) {
    switch (bytes[i]) {
      case QUOTE:
        i = findTextEnd(bytes, i + 1);
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

/** @returns the index of the closing quote, or the length when there is none */
function findTextEnd(bytes: Uint8Array, start: number): number {
  let i = start;
  while (i < bytes.length && bytes[i] !== QUOTE) i += bytes[i] === BACKSLASH ? 2 : 1;
  return i;
}
