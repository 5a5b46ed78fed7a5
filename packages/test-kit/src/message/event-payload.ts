import { ProtocolViolationError } from '../rules/protocol-violation-error.js';
import type { Bytes } from './auth-message.js';
import { isRecord, measureDataWeight } from './data-weight.js';

/** An event of a live connection. */
export interface LiveEvent {
  readonly eventName: string;
  readonly data: unknown;
}

/** The maximum of an event, both for its encoded bytes and for its weight. */
export const MAX_CLIENT_EVENT_BYTES = 1_048_576;
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
/** C0 and C1 control characters, and characters that change the direction of text. */
const FORBIDDEN_NAME_CHARACTERS = /[\p{Cc}\u202a-\u202e\u2066-\u2069]/u;

/**
 * Encodes an event as the payload of a general message.
 *
 * @throws TypeError when current clients do not send such an event. They check their own events by the same rules
 */
export function encodeEvent(eventName: string, data: unknown): Uint8Array {
  try {
    const text = JSON.stringify(data === undefined ? { eventName } : { eventName, data });
    const payload = Buffer.from(text);
    decodeEvent(payload);
    return payload;
  } catch (error) {
    const reason = error instanceof ProtocolViolationError ? error.detail : String(error);
    throw new TypeError(`Current clients do not send this event: ${reason}`);
  }
}

/**
 * Reads the payload of a general message from a live connection.
 *
 * @throws ProtocolViolationError of rule 9.9 when it is too large, of rule 9.10 when the name is not allowed, of rule 5 when
 *   it is not an event
 */
export function decodeEvent(payload: Bytes): LiveEvent {
  if (payload.length > MAX_CLIENT_EVENT_BYTES) {
    throw new ProtocolViolationError(
      '9.9',
      `an event has ${payload.length} bytes, and may have at most ${MAX_CLIENT_EVENT_BYTES}`,
    );
  }
  const event = parseEventJson(payload);
  measureDataWeight(event, {
    rule: '9.9',
    maxWeight: MAX_CLIENT_EVENT_BYTES,
    packsBytes: false,
    allowsUndefined: false,
  });
  if (!isRecord(event) || !Object.hasOwn(event, 'eventName')) throw invalidEventError('an event has no eventName');
  const more = Object.keys(event).filter((key) => key !== 'eventName' && key !== 'data');
  if (more.length > 0) throw invalidEventError(`an event has fields other than eventName and data: ${more.join(', ')}`);
  return { eventName: checkName(event['eventName']), data: event['data'] };
}

function parseEventJson(payload: Bytes): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(Uint8Array.from(payload)));
  } catch {
    throw invalidEventError('the payload of an event is not JSON in UTF-8');
  }
}

function checkName(name: unknown): string {
  if (typeof name !== 'string' || name === '')
    throw invalidEventNameError('the name of an event is not a string, or empty');
  if (Buffer.byteLength(name) > MAX_NAME_BYTES)
    throw invalidEventNameError(`the name of an event has more than ${MAX_NAME_BYTES} bytes`);
  if (RESERVED_NAMES.has(name)) throw invalidEventNameError(`the name ${name} is reserved`);
  if (FORBIDDEN_NAME_CHARACTERS.test(name))
    throw invalidEventNameError('the name of an event has control or bidirectional characters');
  return name;
}

const invalidEventError = (text: string) => new ProtocolViolationError('5', text);
const invalidEventNameError = (text: string) => new ProtocolViolationError('9.10', text);
