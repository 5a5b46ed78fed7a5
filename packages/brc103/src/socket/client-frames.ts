import { MalformedAuthError } from '../errors.js';
import { findExceededJsonLimit } from '../json-limits.js';

/** A general message of BRC-103: a signed event of an app. */
export interface GeneralFrame {
  readonly type: 'general';
  readonly identityKey: string;
  readonly nonce: string;
  readonly yourNonce: string;
  readonly payload: Uint8Array;
  readonly signature: Uint8Array;
}

/** The answer to an initialRequest that the server sent on the socket. */
export interface InitialResponseFrame {
  readonly type: 'initialResponse';
  readonly identityKey: string;
  /** The client's nonce of the new session. */
  readonly initialNonce: string;
  /** The server's nonce, from the initialRequest. */
  readonly yourNonce: string;
  readonly signature: Uint8Array;
}

/** A client's initialRequest, unchecked. The authenticator checks it. */
export interface InitialRequestFrame {
  readonly type: 'initialRequest';
  readonly message: object;
}

/** A frame from a client. */
export type ClientFrame = GeneralFrame | InitialResponseFrame | InitialRequestFrame;

const MAX_TEXT_CHARACTERS = 1_024;
/** A DER signature has at most 72 bytes, and some libraries add one or two zeros. */
const MAX_SIGNATURE_BYTES = 80;

/**
 * Reads the argument of an `authMessage`, which may be any value.
 *
 * @param maxPayloadBytes the largest payload of a general message
 * @throws {MalformedAuthError} when the value is not a message that a server handles, within the limits
 */
export function parseClientFrame(raw: unknown, maxPayloadBytes: number): ClientFrame {
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw))
    throw new MalformedAuthError('A frame must be an AuthMessage object');
  const message = raw as Record<string, unknown>;
  if (message['version'] !== '0.1') throw new MalformedAuthError('The version must be 0.1');
  switch (message['messageType']) {
    case 'initialRequest':
      return { type: 'initialRequest', message };
    case 'initialResponse':
      return {
        type: 'initialResponse',
        identityKey: readText(message, 'identityKey'),
        initialNonce: readText(message, 'initialNonce'),
        yourNonce: readText(message, 'yourNonce'),
        signature: readBytes(message, 'signature', MAX_SIGNATURE_BYTES),
      };
    case 'general':
      return {
        type: 'general',
        identityKey: readText(message, 'identityKey'),
        nonce: readText(message, 'nonce'),
        yourNonce: readText(message, 'yourNonce'),
        payload: readBytes(message, 'payload', maxPayloadBytes),
        signature: readBytes(message, 'signature', MAX_SIGNATURE_BYTES),
      };
    default:
      throw new MalformedAuthError('This messageType is not supported');
  }
}

function readText(message: Record<string, unknown>, name: string): string {
  const value = message[name];
  if (typeof value !== 'string' || value === '' || value.length > MAX_TEXT_CHARACTERS) {
    throw new MalformedAuthError(`${name} must be a string of 1 to ${MAX_TEXT_CHARACTERS} characters`);
  }
  return value;
}

function readBytes(message: Record<string, unknown>, name: string, maxBytes: number): Uint8Array {
  const value = message[name];
  if (!Array.isArray(value)) throw new MalformedAuthError(`${name} must be an array of bytes`);
  if (value.length > maxBytes) throw new MalformedAuthError(`${name} may have at most ${maxBytes} bytes`);
  const out = new Uint8Array(value.length);
  for (let i = 0; i < value.length; i++) {
    const byte: unknown = value[i];
    // A typed array would wrap 256 to 0 and convert '7' to 7, so that two different messages had the same signature.
    if (typeof byte !== 'number' || (byte & 0xff) !== byte)
      throw new MalformedAuthError(`${name} must be an array of bytes`);
    out[i] = byte;
  }
  return out;
}

/** An event from a client: the payload of a general message (BRC-103), which is UTF-8 JSON `{eventName, data}`. */
export interface SocketEvent {
  /** At most 2,048 characters. */
  readonly eventName: string;
  /** Any JSON value; undefined when there is none. */
  readonly data: unknown;
}

const MAX_EVENT_NAME_CHARACTERS = 2_048;
const utf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * Reads the payload of a general message.
 *
 * @throws {MalformedAuthError} when it is not an event. Payloads with too much structure are refused before they are parsed
 */
export function parseSocketEvent(payload: Uint8Array): SocketEvent {
  if (findExceededJsonLimit(payload) !== undefined) {
    throw new MalformedAuthError('The payload has too many or too deeply nested objects');
  }
  let value: unknown;
  try {
    value = JSON.parse(utf8.decode(payload));
  } catch {
    throw new MalformedAuthError('The payload must be UTF-8 JSON');
  }
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, 'eventName')) {
    throw new MalformedAuthError('The payload must be {eventName, data}');
  }
  const { eventName, data } = value as { eventName: unknown; data?: unknown };
  if (typeof eventName !== 'string' || eventName.length > MAX_EVENT_NAME_CHARACTERS) {
    throw new MalformedAuthError(`eventName must be a string of at most ${MAX_EVENT_NAME_CHARACTERS} characters`);
  }
  return { eventName, data: Object.hasOwn(value, 'data') ? data : undefined };
}

/** Encodes an event as the payload of a general message. */
export function encodeSocketEvent(eventName: string, data: unknown): Uint8Array {
  return Buffer.from(JSON.stringify({ eventName, data }), 'utf8');
}
