import { decodeUtf8 } from './bytes.js';

/** The first message of a handshake (BRC-103). It is not signed. */
export interface InitialRequest {
  readonly messageType: 'initialRequest';
  readonly identityKey: string;
  readonly initialNonce: string;
}

/** The answer to it. The signature covers both nonces. */
export interface InitialResponse {
  readonly messageType: 'initialResponse';
  readonly identityKey: string;
  readonly initialNonce: string;
  readonly yourNonce: string;
  readonly signature: Uint8Array;
}

/** A signed message of a session. */
export interface GeneralMessage {
  readonly messageType: 'general';
  readonly identityKey: string;
  readonly nonce: string;
  readonly yourNonce: string;
  readonly payload: Uint8Array;
  readonly signature: Uint8Array;
}

/** A message of BRC-103. Those about certificates, which this server does not use, are not among them. */
export type AuthMessage = GeneralMessage | InitialRequest | InitialResponse;

/** Reads a message of BRC-103. Undefined when a field is missing or of another type. */
export function readAuthMessage(value: unknown): AuthMessage | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const fields = value as Readonly<Record<string, unknown>>;
  const { messageType, identityKey, initialNonce, yourNonce, nonce } = fields;
  if (typeof identityKey !== 'string') return undefined;
  if (messageType === 'initialRequest') {
    return typeof initialNonce === 'string' ? { messageType, identityKey, initialNonce } : undefined;
  }
  const signature = readBytes(fields['signature']);
  if (signature === undefined || typeof yourNonce !== 'string') return undefined;
  if (messageType === 'initialResponse') {
    if (typeof initialNonce !== 'string') return undefined;
    return { messageType, identityKey, initialNonce, yourNonce, signature };
  }
  const payload = readBytes(fields['payload']);
  if (messageType !== 'general' || typeof nonce !== 'string' || payload === undefined) return undefined;
  return { messageType, identityKey, nonce, yourNonce, payload, signature };
}

/** An event of an app: the payload of a general message on a socket. */
export interface AppEvent {
  readonly eventName: string;
  readonly data: unknown;
}

/** Reads the payload of a general message on a socket: UTF-8 JSON `{eventName, data}`. */
export function readAppEvent(payload: Uint8Array): AppEvent | undefined {
  const value = parseJson(decodeUtf8(payload));
  if (typeof value !== 'object' || value === null) return undefined;
  const { eventName, data } = value as { eventName?: unknown; data?: unknown };
  return typeof eventName === 'string' ? { eventName, data } : undefined;
}

/** Parses JSON; undefined for a text that is none. */
export function parseJson(text: string | undefined): unknown {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function readBytes(value: unknown): Uint8Array | undefined {
  if (!Array.isArray(value)) return undefined;
  const isByte = (item: unknown) => typeof item === 'number' && Number.isInteger(item) && item >= 0 && item <= 255;
  return value.every(isByte) ? Uint8Array.from(value as number[]) : undefined;
}
