/**
 * The limits of the events that current clients accept. A client closes its connection for good when it receives a larger
 * event, so such an event must not be sent.
 */

/** The largest event name that clients accept. Bytes of UTF-8. */
export const MAX_EVENT_NAME_BYTES = 256;
/** The largest event that clients accept: its encoded size in bytes, and the weighted sum of its values. */
export const MAX_EVENT_BYTES = 1_048_576;

const MAX_EVENT_VALUES = 100_000;
const MAX_EVENT_DEPTH = 64;
const NUMBER_WEIGHT = 24;
const CONSTANT_WEIGHT = 4;

const RESERVED_NAMES: ReadonlySet<string> = new Set([
  '_unknown',
  'connect',
  'connect_error',
  'disconnect',
  'disconnecting',
  'newListener',
  'removeListener',
]);
/** Control characters, and those that change the direction of text. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: the expression looks for control characters
const FORBIDDEN_NAME_CHARACTERS = /[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/;

/**
 * Whether clients accept an event with this name: 1 to 256 bytes of UTF-8 without control or bidirectional characters, and
 * not a name that socket.io reserves.
 */
export function isAcceptedEventName(name: string): boolean {
  if (name === '' || name.length > MAX_EVENT_NAME_BYTES || RESERVED_NAMES.has(name)) return false;
  return Buffer.byteLength(name) <= MAX_EVENT_NAME_BYTES && !FORBIDDEN_NAME_CHARACTERS.test(name);
}

/**
 * Whether clients accept an event of this size.
 *
 * @param encodedBytes length of the event as it is encoded: UTF-8 JSON of `{eventName, data}`
 */
export function isAcceptedEventSize(eventName: string, data: unknown, encodedBytes: number): boolean {
  return encodedBytes <= MAX_EVENT_BYTES && isWithinStructureLimits({ eventName, data });
}

/** Whether an event with these strings as data fits into {@link MAX_EVENT_BYTES}. Encodes only long strings to find out. */
export function fitsInEvent(eventName: string, data: Readonly<Record<string, string>>): boolean {
  let units = eventName.length;
  for (const text of Object.values(data)) units += text.length;
  // JSON writes a UTF-16 unit in at most six bytes. The margin is for the field names and the punctuation.
  if (units * 6 + 1_024 <= MAX_EVENT_BYTES) return true;
  return isAcceptedEventSize(eventName, data, Buffer.byteLength(JSON.stringify({ eventName, data })));
}

/** Checks what clients check: the weighted sum of all values, their number, and their depth. */
function isWithinStructureLimits(root: unknown): boolean {
  const pending: { value: unknown; depth: number }[] = [{ value: root, depth: 0 }];
  let weight = 0;
  let values = 0;
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const { value, depth } = next;
    values += 1;
    if (values > MAX_EVENT_VALUES || depth > MAX_EVENT_DEPTH) return false;
    if (typeof value === 'string') weight += Buffer.byteLength(value) + 2;
    else if (typeof value === 'number') weight += NUMBER_WEIGHT;
    else if (Array.isArray(value)) {
      if (value.length > MAX_EVENT_VALUES) return false;
      for (const item of value) pending.push({ value: item, depth: depth + 1 });
    } else if (typeof value === 'object' && value !== null) {
      for (const [name, item] of Object.entries(value)) {
        // JSON omits undefined fields.
        if (item === undefined) continue;
        weight += Buffer.byteLength(name) + 3;
        pending.push({ value: item, depth: depth + 1 });
      }
    } else weight += CONSTANT_WEIGHT;
    if (weight > MAX_EVENT_BYTES) return false;
  }
  return true;
}
