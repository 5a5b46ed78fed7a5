import type { Network } from '@messagebox/shared';
import { hostUrl } from '../net/host-url.js';
import { decodePushDrop } from './push-drop.js';
import type { TokenProtocol, TokenSignatures } from './token-signatures.js';

/** "This identity takes messages at this host". */
export interface MessageBoxAd {
  /** 66 lower-case hex characters. */
  readonly identityKey: string;
  /** As advertised. */
  readonly host: string;
}

export const MESSAGE_BOX_PROTOCOL: TokenProtocol = { securityLevel: 1, protocol: 'messagebox advertisement' };

/** Identity key, host, signature. */
const FIELDS = 3;

/** What a message box advertisement's script says, unproven; undefined when it is none. */
export function decodeMessageBoxAd(script: Uint8Array): MessageBoxAd | undefined {
  const [identity, host] = decodePushDrop(script, FIELDS)?.fields ?? [];
  if (identity === undefined || host === undefined) return undefined;
  return { identityKey: Buffer.from(identity).toString('hex'), host: Buffer.from(host).toString('latin1') };
}

/** Whether a script is a message box advertisement of the identity that it names, for a host that others can reach. */
export function isMessageBoxAd(script: Uint8Array, network: Network, signatures: TokenSignatures): boolean {
  const token = decodePushDrop(script, FIELDS);
  const [identity, host] = token?.fields ?? [];
  if (token === undefined || identity === undefined || host === undefined) return false;
  // Hosts are ASCII, so what is no UTF-8 is refused as well.
  if (hostUrl(Buffer.from(host).toString('latin1'), network) === undefined) return false;
  return signatures.isOwn(token, identity, MESSAGE_BOX_PROTOCOL);
}
