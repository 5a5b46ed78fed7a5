import type { InitialResponse } from '../authenticator.js';
import type { EncodedEvent } from './encoded-event.js';
import { encodeTextFrameHeader } from './websocket-frame.js';

/** An initialRequest of the server. The client answers it with an initialResponse (BRC-103). */
export interface ServerInitialRequest {
  readonly version: '0.1';
  readonly messageType: 'initialRequest';
  readonly identityKey: string;
  /** The server's nonce of the new session. */
  readonly initialNonce: string;
  readonly requestedCertificates: { readonly certifiers: readonly []; readonly types: Readonly<Record<string, never>> };
}

/** A frame that is sent to a client as an object. */
export type ServerFrame = InitialResponse | ServerInitialRequest;

/** @param identityKey the identity key of the server */
export function createInitialRequest(identityKey: string, nonce: string): ServerInitialRequest {
  return {
    version: '0.1',
    messageType: 'initialRequest',
    identityKey,
    initialNonce: nonce,
    requestedCertificates: { certifiers: [], types: {} },
  };
}

/** A packet of socket.io, and its websocket frame in two parts. All clients share the second part. */
export interface EncodedPacket {
  /** Encoded at its first use: a websocket takes the frame alone. */
  readonly text: string;
  readonly websocketFrame: readonly [Buffer, Buffer];
}

/**
 * Encodes a signed event for one client. Only the nonces and the signature differ between clients, so all of them share the
 * encoded payload.
 *
 * @param namespace the namespace of the socket, such as `/`
 * @param identityKey the identity key of the server
 * @param yourNonce the client's own session nonce
 */
export function encodeGeneralPacket(
  namespace: string,
  identityKey: string,
  yourNonce: string,
  event: EncodedEvent,
  { nonce, signature }: { readonly nonce: string; readonly signature: Uint8Array },
): EncodedPacket {
  const before = JSON.stringify({ version: '0.1', messageType: 'general', identityKey, nonce, yourNonce }).slice(0, -1);
  const prefix = namespace === '/' ? SOCKET_EVENT_TYPE : `${SOCKET_EVENT_TYPE}${namespace},`;
  const start = `${prefix}["authMessage",${before},"signature":[${signature.join(',')}],"payload":[`;
  const startBytes = Buffer.from(ENGINE_MESSAGE_TYPE + start);
  return {
    get text() {
      return `${start}${event.suffixText}`;
    },
    websocketFrame: [
      Buffer.concat([encodeTextFrameHeader(startBytes.length + event.suffix.length), startBytes]),
      event.suffix,
    ],
  };
}

/** The type of a message in engine.io. */
const ENGINE_MESSAGE_TYPE = '4';
/** The type of an EVENT packet in socket.io. */
const SOCKET_EVENT_TYPE = '2';
