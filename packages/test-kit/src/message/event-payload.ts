import { ProtocolViolation } from '../rules/protocol-violation.js';
import type { Bytes } from './auth-message.js';
import { isRecord, weighData } from './data-weight.js';

/** An event of a live connection. */
export interface LiveEvent {
  readonly eventName: string;
  readonly data: unknown;
}

/** Upper bound of an event, both for its encoded bytes and for its weight. */
export const MAX_EVENT_BYTES = 1_048_576;
const MAX_NAME_BYTES = 256;
/** Names that socket.io and the clients use themselves. */
const RESERVED_NAMES = new Set([
  '_unknown',
  'connect',
  'connect_error',
  'disconnect',
  'disconnecting',
  'newListener',
  'removeListener',
]);
/** C0 and C1 controls, and characters that change the direction of a text. */
const UNSPEAKABLE = /[\p{Cc}\u202a-\u202e\u2066-\u2069]/u;

/**
 * The payload of a general message for an event.
 *
 * @throws TypeError when today's clients do not send such an event: they hold their own to the same rules
 */
export function encodeEvent(eventName: string, data: unknown): Uint8Array {
  try {
    const text = JSON.stringify(data === undefined ? { eventName } : { eventName, data });
    const payload = Buffer.from(text);
    decodeEvent(payload);
    return payload;
  } catch (error) {
    const reason = error instanceof ProtocolViolation ? error.detail : String(error);
    throw new TypeError(`Today's clients do not send this event: ${reason}`);
  }
}

/**
 * Reads the payload of a general message that came over a live connection.
 *
 * @throws ProtocolViolation of rule 9.9 when it is too large, of 9.10 when the event may not have its name, of 5 when it
 *   is no event
 */
export function decodeEvent(payload: Bytes): LiveEvent {
  if (payload.length > MAX_EVENT_BYTES) {
    throw new ProtocolViolation('9.9', `an event has ${payload.length} bytes, and may have ${MAX_EVENT_BYTES}`);
  }
  const event = parse(payload);
  weighData(event, { rule: '9.9', maxWeight: MAX_EVENT_BYTES, packsBytes: false, allowsUndefined: false });
  if (!isRecord(event) || !Object.hasOwn(event, 'eventName')) throw noEvent('an event has no eventName');
  const more = Object.keys(event).filter((key) => key !== 'eventName' && key !== 'data');
  if (more.length > 0) throw noEvent(`an event has fields beside eventName and data: ${more.join(', ')}`);
  return { eventName: checkName(event['eventName']), data: event['data'] };
}

function parse(payload: Bytes): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(Uint8Array.from(payload)));
  } catch {
    throw noEvent('the payload of an event is no JSON in UTF-8');
  }
}

function checkName(name: unknown): string {
  if (typeof name !== 'string' || name === '') throw misnamed('the name of an event is no text, or empty');
  if (Buffer.byteLength(name) > MAX_NAME_BYTES)
    throw misnamed(`the name of an event has more than ${MAX_NAME_BYTES} bytes`);
  if (RESERVED_NAMES.has(name)) throw misnamed(`the name ${name} is reserved`);
  if (UNSPEAKABLE.test(name)) throw misnamed('the name of an event has control or bidirectional characters');
  return name;
}

const noEvent = (text: string) => new ProtocolViolation('5', text);
const misnamed = (text: string) => new ProtocolViolation('9.10', text);
