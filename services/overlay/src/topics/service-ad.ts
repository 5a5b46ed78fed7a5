import { type LockingScript, PushDrop, Utils, type WalletInterface } from '@bsv/sdk';
import type { Network } from '@messagebox/shared';
import { hostUrl } from '../net/host-url.js';
import { decodePushDrop } from './push-drop.js';
import type { TokenProtocol, TokenSignatures } from './token-signatures.js';

/** BRC-88: "this host serves this topic" (SHIP) or "this lookup service" (SLAP). */
export interface ServiceAd {
  readonly protocol: 'SHIP' | 'SLAP';
  /** 66 lower-case hex characters. */
  readonly identityKey: string;
  /** As advertised, such as `https://messagebox.example`. */
  readonly domain: string;
  /** `tm_…` for SHIP, `ls_…` for SLAP. */
  readonly name: string;
}

export const SERVICE_PROTOCOLS = {
  SHIP: { securityLevel: 2, protocol: 'service host interconnect' },
  SLAP: { securityLevel: 2, protocol: 'service lookup availability' },
} as const satisfies Record<ServiceAd['protocol'], TokenProtocol>;

/** BRC-87: what topics and lookup services may be called. */
const NAMES = { SHIP: /^tm_[a-z]+(?:_[a-z]+)*$/, SLAP: /^ls_[a-z]+(?:_[a-z]+)*$/ } as const;
const MAX_NAME = 50;
/** Protocol, identity key, domain, topic or service, signature. */
const FIELDS = 5;

/** What a SHIP or SLAP advertisement's script says, unproven; undefined when it is none. */
export function decodeServiceAd(script: Uint8Array): ServiceAd | undefined {
  const [protocolField, identity, domain, nameField] = decodePushDrop(script, FIELDS)?.fields ?? [];
  if (protocolField === undefined || identity === undefined || domain === undefined || nameField === undefined) {
    return undefined;
  }
  const protocol = textOf(protocolField);
  const name = textOf(nameField);
  if ((protocol !== 'SHIP' && protocol !== 'SLAP') || name.length > MAX_NAME || !NAMES[protocol].test(name)) {
    return undefined;
  }
  return { protocol, identityKey: Buffer.from(identity).toString('hex'), domain: textOf(domain), name };
}

/** Whether a script is such an advertisement of the identity that it names, for a host that others can reach. */
export function isServiceAd(
  script: Uint8Array,
  protocol: ServiceAd['protocol'],
  network: Network,
  signatures: TokenSignatures,
): boolean {
  const token = decodePushDrop(script, FIELDS);
  const identity = token?.fields[1];
  const ad = decodeServiceAd(script);
  if (token === undefined || identity === undefined || ad?.protocol !== protocol) return false;
  return hostUrl(ad.domain, network) !== undefined && signatures.isOwn(token, identity, SERVICE_PROTOCOLS[protocol]);
}

/** The locking script of an advertisement by the wallet's identity. */
export async function serviceAdToken(
  wallet: WalletInterface,
  { protocol, domain, name }: Pick<ServiceAd, 'protocol' | 'domain' | 'name'>,
): Promise<LockingScript> {
  const { publicKey } = await wallet.getPublicKey({ identityKey: true });
  const fields = [
    Utils.toArray(protocol, 'utf8'),
    Utils.toArray(publicKey, 'hex'),
    Utils.toArray(domain, 'utf8'),
    Utils.toArray(name, 'utf8'),
  ];
  const { securityLevel, protocol: protocolName } = SERVICE_PROTOCOLS[protocol];
  return await new PushDrop(wallet).lock(fields, [securityLevel, protocolName], '1', 'anyone', true);
}

/** All that may stand in an advertisement is ASCII; what isn't comes out as something that no rule lets pass. */
function textOf(field: Uint8Array): string {
  return Buffer.from(field).toString('latin1');
}
