import { ProtocolViolation } from '../rules/protocol-violation.js';
import { isByte, isRecord, weighData } from './data-weight.js';
import { isIdentityKey } from './identity-key.js';

/** Bytes as JSON has them, or as the HTTP layer puts them together. */
export type Bytes = readonly number[] | Uint8Array;

interface Common {
  readonly version: '0.1';
  readonly identityKey: string;
}

/** The first message of a handshake (BRC-103). */
export interface InitialRequest extends Common {
  readonly messageType: 'initialRequest';
  /** 48 bytes in base64. */
  readonly initialNonce: string;
  readonly requestedCertificates?: unknown;
}

/** The answer to an `initialRequest` (BRC-103). */
export interface InitialResponse extends Common {
  readonly messageType: 'initialResponse';
  /** The nonce of the session that the responder made: 48 bytes in base64. */
  readonly initialNonce: string;
  /** The `initialNonce` of the request. */
  readonly yourNonce: string;
  readonly requestedCertificates?: unknown;
  readonly signature: Bytes;
}

/** A signed message within a session (BRC-103). */
export interface GeneralMessage extends Common {
  readonly messageType: 'general';
  /** 32 bytes in base64. */
  readonly nonce: string;
  /** The session's nonce that the receiver made: 48 bytes in base64. */
  readonly yourNonce: string;
  readonly payload: Bytes;
  readonly signature: Bytes;
}

/** A message of BRC-103 without certificates. */
export type AuthMessage = InitialRequest | InitialResponse | GeneralMessage;

/** Length of the nonce of a session. */
export const SESSION_NONCE_BYTES = 48;
/** Length of the nonce of a general message. */
export const MESSAGE_NONCE_BYTES = 32;
const MAX_MESSAGE_WEIGHT = 16 * 1024 * 1024;
const MAX_NONCE_CHARACTERS = 128;
const MAX_SIGNATURE_BYTES = 1_024;

/**
 * Checks the shape and the size of a message that came from a server. A payload that is a `Uint8Array` has been bounded
 * by its transport and is not weighed.
 *
 * @throws ProtocolViolation of rule 9.1
 */
export function checkAuthMessage(value: unknown): AuthMessage {
  if (!isRecord(value)) throw malformed('a message is no object');
  const { payload } = value;
  const transported = payload instanceof Uint8Array;
  weighData(transported ? { ...value, payload: [] } : value, {
    rule: '9.1',
    maxWeight: MAX_MESSAGE_WEIGHT,
    packsBytes: true,
    allowsUndefined: true,
  });
  if (value['version'] !== '0.1') throw malformed('the version of a message is not 0.1');
  if (!isIdentityKey(value['identityKey']))
    throw malformed('identityKey is not 66 lower-case hex characters of a point');
  checkCertificates(value);
  switch (value['messageType']) {
    case 'initialRequest':
      checkNonce(value, 'initialNonce', SESSION_NONCE_BYTES);
      break;
    case 'initialResponse':
      checkNonce(value, 'initialNonce', SESSION_NONCE_BYTES);
      checkNonce(value, 'yourNonce', SESSION_NONCE_BYTES);
      checkSignature(value);
      break;
    case 'general':
      checkNonce(value, 'nonce', MESSAGE_NONCE_BYTES);
      checkNonce(value, 'yourNonce', SESSION_NONCE_BYTES);
      if (!transported && !isDenseBytes(payload)) throw malformed('payload is no dense array of bytes');
      checkSignature(value);
      break;
    default:
      throw malformed(`a message has the type ${JSON.stringify(value['messageType'])}`);
  }
  return value as unknown as AuthMessage;
}

function checkNonce(message: Record<string, unknown>, field: string, length: number): void {
  const nonce = message[field];
  const name = `${String(message['messageType'])}.${field}`;
  if (typeof nonce !== 'string' || nonce.length > MAX_NONCE_CHARACTERS) {
    throw malformed(`${name} is no text of at most ${MAX_NONCE_CHARACTERS} characters`);
  }
  const bytes = Buffer.from(nonce, 'base64');
  if (bytes.toString('base64') !== nonce) throw malformed(`${name} is not canonical base64`);
  if (bytes.length !== length) throw malformed(`${name} has ${bytes.length} bytes in place of ${length}`);
}

function checkSignature({ messageType, signature }: Record<string, unknown>): void {
  if (isDenseBytes(signature) && signature.length > 0 && signature.length <= MAX_SIGNATURE_BYTES) return;
  throw malformed(`${String(messageType)}.signature is no dense array of 1 to ${MAX_SIGNATURE_BYTES} bytes`);
}

/** Clients of messages have no certificates to show, so a server that asks for some leaves them waiting. */
function checkCertificates({ certificates, requestedCertificates: requested }: Record<string, unknown>): void {
  if (certificates !== undefined && !(Array.isArray(certificates) && certificates.length === 0)) {
    throw malformed('a message carries certificates');
  }
  if (requested === undefined) return;
  const { certifiers, types } = isRecord(requested) ? requested : {};
  if (!Array.isArray(certifiers) || !isRecord(types))
    throw malformed('requestedCertificates lacks certifiers or types');
  if (certifiers.length > 0 || Object.keys(types).length > 0) throw malformed('a message asks for certificates');
}

function isDenseBytes(value: unknown): value is number[] {
  if (!Array.isArray(value)) return false;
  // `every` steps over holes.
  for (let index = 0; index < value.length; index += 1) if (!isByte(value[index])) return false;
  return true;
}

function malformed(text: string): ProtocolViolation {
  return new ProtocolViolation('9.1', text);
}
