import type { Network } from '@messagebox/shared';
import { parseHostUrl } from '../hosts/host-url.js';
import { decodePushDrop } from './push-drop.js';
import type { TokenProtocol, TokenSignatures } from './token-signatures.js';

/** The statement of an identity that it receives its messages at a host. */
export interface MessageBoxAd {
  /** 66 lower-case hex characters. */
  readonly identityKey: string;
  /** As advertised. */
  readonly host: string;
}

export const MESSAGE_BOX_PROTOCOL: TokenProtocol = { securityLevel: 1, protocol: 'messagebox advertisement' };

/** Identity key, host, signature. */
const FIELD_COUNT = 3;

/**
 * Decodes the script of a message box advertisement. Signature, key and host are not checked.
 *
 * @returns undefined for any other script
 */
export function decodeMessageBoxAd(script: Uint8Array): MessageBoxAd | undefined {
  const [identity, host] = decodePushDrop(script, FIELD_COUNT)?.fields ?? [];
  if (identity === undefined || host === undefined) return undefined;
  return { identityKey: Buffer.from(identity).toString('hex'), host: Buffer.from(host).toString('latin1') };
}

/** Whether a script is a message box advertisement for a reachable host, signed by the identity that it names. */
export function isMessageBoxAd(script: Uint8Array, network: Network, signatures: TokenSignatures): boolean {
  const token = decodePushDrop(script, FIELD_COUNT);
  const [identity, host] = token?.fields ?? [];
  if (token === undefined || identity === undefined || host === undefined) return false;
  // Hosts are ASCII, so invalid UTF-8 is refused as well.
  if (parseHostUrl(Buffer.from(host).toString('latin1'), network) === undefined) return false;
  return signatures.isOwn(token, identity, MESSAGE_BOX_PROTOCOL);
}
