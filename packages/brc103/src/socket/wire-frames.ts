import type { InitialResponse } from '../authenticator.js';
import type { EncodedEvent } from './encoded-event.js';
import { textFrameHead } from './websocket-frame.js';

/** An initialRequest of ours: the client answers it with an initialResponse (BRC-103). */
export interface InitialRequestOut {
  readonly version: '0.1';
  readonly messageType: 'initialRequest';
  readonly identityKey: string;
  /** The nonce that the client answers, and may sign under from then on. */
  readonly initialNonce: string;
  readonly requestedCertificates: { readonly certifiers: readonly []; readonly types: Readonly<Record<string, never>> };
}

/** What goes to a client as an object. */
export type ServerFrame = InitialResponse | InitialRequestOut;

/** @param identityKey the server's */
export function initialRequest(identityKey: string, nonce: string): InitialRequestOut {
  return {
    version: '0.1',
    messageType: 'initialRequest',
    identityKey,
    initialNonce: nonce,
    requestedCertificates: { certifiers: [], types: {} },
  };
}

/** A packet as socket.io writes it, and the websocket frame of it in two parts, the second shared by all clients. */
export interface EncodedPacket {
  readonly text: string;
  readonly websocketFrame: readonly [Buffer, Buffer];
}

/**
 * A signed event for a client: only nonces and signature differ from client to client, and what is written of the payload is
 * shared by all of them.
 *
 * @param namespace of the socket, such as `/`
 * @param identityKey the server's
 * @param yourNonce the client's own session nonce
 */
export function generalPacket(
  namespace: string,
  identityKey: string,
  yourNonce: string,
  event: EncodedEvent,
  { nonce, signature }: { readonly nonce: string; readonly signature: Uint8Array },
): EncodedPacket {
  const before = JSON.stringify({ version: '0.1', messageType: 'general', identityKey, nonce, yourNonce }).slice(0, -1);
  const prefix = namespace === '/' ? EVENT : `${EVENT}${namespace},`;
  const start = `${prefix}["authMessage",${before},"signature":[${signature.join(',')}],"payload":[`;
  const startBytes = Buffer.from(MESSAGE + start);
  return {
    text: `${start}${event.endText}`,
    websocketFrame: [Buffer.concat([textFrameHead(startBytes.length + event.end.length), startBytes]), event.end],
  };
}

/** How engine.io writes the type of a message. */
const MESSAGE = '4';
/** How socket.io writes the type of an EVENT packet. */
const EVENT = '2';
