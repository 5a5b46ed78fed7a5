import type { InitialResponse } from '../authenticator.js';

/** An initialRequest of ours: the client answers it with an initialResponse (BRC-103). */
export interface InitialRequestOut {
  readonly version: '0.1';
  readonly messageType: 'initialRequest';
  readonly identityKey: string;
  /** The nonce that the client answers, and may sign under from then on. */
  readonly initialNonce: string;
  readonly requestedCertificates: { readonly certifiers: readonly []; readonly types: Readonly<Record<string, never>> };
}

/** A signed event for the client. */
export interface GeneralOut {
  readonly version: '0.1';
  readonly messageType: 'general';
  readonly identityKey: string;
  readonly nonce: string;
  readonly yourNonce: string;
  readonly payload: number[];
  readonly signature: number[];
}

/** Everything that a client works on when it comes. */
export type ServerFrame = InitialResponse | InitialRequestOut | GeneralOut;

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

/**
 * @param identityKey the server's
 * @param yourNonce the client's own session nonce
 */
export function general(
  identityKey: string,
  yourNonce: string,
  payload: Uint8Array,
  { nonce, signature }: { readonly nonce: string; readonly signature: Uint8Array },
): GeneralOut {
  return {
    version: '0.1',
    messageType: 'general',
    identityKey,
    nonce,
    yourNonce,
    payload: Array.from(payload),
    signature: Array.from(signature),
  };
}
