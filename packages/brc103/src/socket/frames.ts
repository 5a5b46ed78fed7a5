import { MalformedAuthError } from '../errors.js';
import { excessOfJson } from '../json-structure.js';

/** A general message: an app's event, signed (BRC-103). */
export interface GeneralFrame {
  readonly type: 'general';
  readonly identityKey: string;
  readonly nonce: string;
  readonly yourNonce: string;
  readonly payload: Uint8Array;
  readonly signature: Uint8Array;
}

/** The answer to an initialRequest that this server sent on the socket. */
export interface InitialResponseFrame {
  readonly type: 'initialResponse';
  readonly identityKey: string;
  /** The nonce that the client minted for this exchange. */
  readonly initialNonce: string;
  /** The nonce of ours that it answers. */
  readonly yourNonce: string;
  readonly signature: Uint8Array;
}

/** A client's initialRequest, unchecked: the authenticator reads it. */
export interface InitialRequestFrame {
  readonly type: 'initialRequest';
  readonly message: object;
}

export type ClientFrame = GeneralFrame | InitialResponseFrame | InitialRequestFrame;

const MAX_TEXT = 1_024;
/** A DER signature has at most 72 bytes; some libraries write a zero or two more. */
const MAX_SIGNATURE_BYTES = 80;

/**
 * Reads an `authMessage` as it came over a socket, where anything may come.
 *
 * @param maxPayloadBytes bound on a general message's payload
 * @throws {MalformedAuthError}
 */
export function parseFrame(raw: unknown, maxPayloadBytes: number): ClientFrame {
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
        identityKey: text(message, 'identityKey'),
        initialNonce: text(message, 'initialNonce'),
        yourNonce: text(message, 'yourNonce'),
        signature: bytes(message, 'signature', MAX_SIGNATURE_BYTES),
      };
    case 'general':
      return {
        type: 'general',
        identityKey: text(message, 'identityKey'),
        nonce: text(message, 'nonce'),
        yourNonce: text(message, 'yourNonce'),
        payload: bytes(message, 'payload', maxPayloadBytes),
        signature: bytes(message, 'signature', MAX_SIGNATURE_BYTES),
      };
    default:
      throw new MalformedAuthError('This messageType is not taken here');
  }
}

function text(message: Record<string, unknown>, name: string): string {
  const value = message[name];
  if (typeof value !== 'string' || value === '' || value.length > MAX_TEXT) {
    throw new MalformedAuthError(`${name} must be a text of 1 to ${MAX_TEXT} characters`);
  }
  return value;
}

function bytes(message: Record<string, unknown>, name: string, most: number): Uint8Array {
  const value = message[name];
  if (!Array.isArray(value)) throw new MalformedAuthError(`${name} must be an array of bytes`);
  if (value.length > most) throw new MalformedAuthError(`${name} may have at most ${most} bytes`);
  const out = new Uint8Array(value.length);
  for (let i = 0; i < value.length; i++) {
    const byte: unknown = value[i];
    // A typed array would wrap 256 to 0 and read '7' as 7: two messages with one signature.
    if (typeof byte !== 'number' || (byte & 0xff) !== byte)
      throw new MalformedAuthError(`${name} must be an array of bytes`);
    out[i] = byte;
  }
  return out;
}

/** An app's event, as it travels in a general message's payload: UTF-8 JSON `{eventName, data}`. */
export interface SocketEvent {
  readonly eventName: string;
  readonly data: unknown;
}

const MAX_EVENT_NAME = 2_048;
const utf8 = new TextDecoder('utf-8', { fatal: true });

/** @throws {MalformedAuthError} also for more structure than any client sends, before it is parsed */
export function parseEvent(payload: Uint8Array): SocketEvent {
  if (excessOfJson(payload) !== undefined) {
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
  if (typeof eventName !== 'string' || eventName.length > MAX_EVENT_NAME) {
    throw new MalformedAuthError(`eventName must be a text of at most ${MAX_EVENT_NAME} characters`);
  }
  return { eventName, data: Object.hasOwn(value, 'data') ? data : undefined };
}

export function encodeEvent(eventName: string, data: unknown): Uint8Array {
  return Buffer.from(JSON.stringify({ eventName, data }), 'utf8');
}
