import { ProtocolViolationError } from '../rules/protocol-violation-error.js';
import { isByte, isRecord, measureDataWeight } from './data-weight.js';
import { isIdentityKey } from './identity-key.js';

/** Bytes as an array from JSON, or as the HTTP layer creates them. */
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
  /** The responder's session nonce: 48 bytes in base64. */
  readonly initialNonce: string;
  /** The `initialNonce` of the request. */
  readonly yourNonce: string;
  readonly requestedCertificates?: unknown;
  readonly signature: Bytes;
}

/** A signed message in a session (BRC-103). */
export interface GeneralMessage extends Common {
  readonly messageType: 'general';
  /** 32 bytes in base64. */
  readonly nonce: string;
  /** The receiver's session nonce: 48 bytes in base64. */
  readonly yourNonce: string;
  readonly payload: Bytes;
  readonly signature: Bytes;
}

/** Any message of BRC-103, except for those about certificates. */
export type AuthMessage = InitialRequest | InitialResponse | GeneralMessage;

/** The length of a session nonce. */
export const SESSION_NONCE_BYTES = 48;
/** The length of the nonce of a general message. */
export const MESSAGE_NONCE_BYTES = 32;
const MAX_MESSAGE_WEIGHT = 16 * 1024 * 1024;
const MAX_NONCE_CHARACTERS = 128;
const MAX_SIGNATURE_BYTES = 1_024;

/**
 * Checks the shape and the size of a message from a server. A payload that is a `Uint8Array` does not count, because its
 * transport has limited it.
 *
 * @throws ProtocolViolationError of rule 9.1
 */
export function checkAuthMessage(value: unknown): AuthMessage {
  if (!isRecord(value)) throw malformedMessageError('a message is not an object');
  const { payload } = value;
  const transported = payload instanceof Uint8Array;
  measureDataWeight(transported ? { ...value, payload: [] } : value, {
    rule: '9.1',
    maxWeight: MAX_MESSAGE_WEIGHT,
    packsBytes: true,
    allowsUndefined: true,
  });
  if (value['version'] !== '0.1') throw malformedMessageError('the version of a message is not 0.1');
  if (!isIdentityKey(value['identityKey']))
    throw malformedMessageError('identityKey is not 66 lower-case hex characters of a point');
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
      if (!transported && !isDenseBytes(payload)) throw malformedMessageError('payload is not a dense array of bytes');
      checkSignature(value);
      break;
    default:
      throw malformedMessageError(`a message has the type ${JSON.stringify(value['messageType'])}`);
  }
  return value as unknown as AuthMessage;
}

function checkNonce(message: Record<string, unknown>, field: string, length: number): void {
  const nonce = message[field];
  const name = `${String(message['messageType'])}.${field}`;
  if (typeof nonce !== 'string' || nonce.length > MAX_NONCE_CHARACTERS) {
    throw malformedMessageError(`${name} is not a string of at most ${MAX_NONCE_CHARACTERS} characters`);
  }
  const bytes = Buffer.from(nonce, 'base64');
  if (bytes.toString('base64') !== nonce) throw malformedMessageError(`${name} is not canonical base64`);
  if (bytes.length !== length) throw malformedMessageError(`${name} has ${bytes.length} bytes instead of ${length}`);
}

function checkSignature({ messageType, signature }: Record<string, unknown>): void {
  if (isDenseBytes(signature) && signature.length > 0 && signature.length <= MAX_SIGNATURE_BYTES) return;
  throw malformedMessageError(
    `${String(messageType)}.signature is not a dense array of 1 to ${MAX_SIGNATURE_BYTES} bytes`,
  );
}

/** The clients have no certificates, so they would wait forever when a server requests some. */
function checkCertificates({ certificates, requestedCertificates: requested }: Record<string, unknown>): void {
  if (certificates !== undefined && !(Array.isArray(certificates) && certificates.length === 0)) {
    throw malformedMessageError('a message contains certificates');
  }
  if (requested === undefined) return;
  const { certifiers, types } = isRecord(requested) ? requested : {};
  if (!Array.isArray(certifiers) || !isRecord(types))
    throw malformedMessageError('requestedCertificates lacks certifiers or types');
  if (certifiers.length > 0 || Object.keys(types).length > 0)
    throw malformedMessageError('a message requests certificates');
}

function isDenseBytes(value: unknown): value is number[] {
  if (!Array.isArray(value)) return false;
  // `every` skips holes.
  for (let index = 0; index < value.length; index += 1) if (!isByte(value[index])) return false;
  return true;
}

function malformedMessageError(text: string): ProtocolViolationError {
  return new ProtocolViolationError('9.1', text);
}
