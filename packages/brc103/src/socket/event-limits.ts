/**
 * What the clients in use take of an event. A client that gets one beyond these limits closes its connection for good, so
 * such an event must not be sent.
 */

/** UTF-8 bytes of an event's name. */
export const MAX_EVENT_NAME_BYTES = 256;
/** Bytes of an event as it is encoded, and the weighted sum of its values. */
export const MAX_EVENT_BYTES = 1_048_576;

const MAX_VALUES = 100_000;
const MAX_DEPTH = 64;
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
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const UNSPEAKABLE = /[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/;

/** Whether clients accept an event of this name. */
export function isSpeakableEventName(name: string): boolean {
  if (name === '' || name.length > MAX_EVENT_NAME_BYTES || RESERVED_NAMES.has(name)) return false;
  return Buffer.byteLength(name) <= MAX_EVENT_NAME_BYTES && !UNSPEAKABLE.test(name);
}

/**
 * Whether clients accept an event of this size.
 *
 * @param encodedBytes length of the event as it is encoded: UTF-8 JSON of `{eventName, data}`
 */
export function isEventOfAcceptedSize(eventName: string, data: unknown, encodedBytes: number): boolean {
  return encodedBytes <= MAX_EVENT_BYTES && isWithinStructure({ eventName, data });
}

/**
 * Whether an event of this name whose data holds these texts can be pushed, found without encoding it where the texts
 * are short.
 */
export function isPushable(eventName: string, data: Readonly<Record<string, string>>): boolean {
  let units = eventName.length;
  for (const text of Object.values(data)) units += text.length;
  // JSON turns a UTF-16 unit into six bytes at most; the names of the fields and the punctuation are in the margin.
  if (units * 6 + 1_024 <= MAX_EVENT_BYTES) return true;
  return isEventOfAcceptedSize(eventName, data, Buffer.byteLength(JSON.stringify({ eventName, data })));
}

/** The clients' own measure: the weighted sum of all values, their number, and their depth. */
function isWithinStructure(root: unknown): boolean {
  const pending: { value: unknown; depth: number }[] = [{ value: root, depth: 0 }];
  let weight = 0;
  let values = 0;
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const { value, depth } = next;
    values += 1;
    if (values > MAX_VALUES || depth > MAX_DEPTH) return false;
    if (typeof value === 'string') weight += Buffer.byteLength(value) + 2;
    else if (typeof value === 'number') weight += NUMBER_WEIGHT;
    else if (Array.isArray(value)) {
      if (value.length > MAX_VALUES) return false;
      for (const item of value) pending.push({ value: item, depth: depth + 1 });
    } else if (typeof value === 'object' && value !== null) {
      for (const [name, item] of Object.entries(value)) {
        // JSON leaves it out.
        if (item === undefined) continue;
        weight += Buffer.byteLength(name) + 3;
        pending.push({ value: item, depth: depth + 1 });
      }
    } else weight += CONSTANT_WEIGHT;
    if (weight > MAX_EVENT_BYTES) return false;
  }
  return true;
}
