import { type LockingScript, PushDrop, Utils, type WalletInterface } from '@bsv/sdk';
import type { Network } from '@messagebox/shared';
import type { Outpoint } from '@messagebox/transactions';
import { parseHostUrl } from '../hosts/host-url.js';
import { decodePushDrop } from './push-drop.js';
import type { TokenProtocol, TokenSignatures } from './token-signatures.js';

/** The statement of an identity that a host serves a topic (SHIP) or a lookup service (SLAP), as in BRC-88. */
export interface ServiceAd {
  readonly protocol: 'SHIP' | 'SLAP';
  /** 66 lower-case hex characters. */
  readonly identityKey: string;
  /** As advertised, such as `https://messagebox.example`. */
  readonly domain: string;
  /** `tm_…` for SHIP, `ls_…` for SLAP. */
  readonly name: string;
}

/** An output that is decoded as an advertisement. */
export type ServiceAdOutput = ServiceAd & Outpoint;

export const SERVICE_PROTOCOLS = {
  SHIP: { securityLevel: 2, protocol: 'service host interconnect' },
  SLAP: { securityLevel: 2, protocol: 'service lookup availability' },
} as const satisfies Record<ServiceAd['protocol'], TokenProtocol>;

/** The names of topics and lookup services (BRC-87). */
const NAME_PATTERNS = { SHIP: /^tm_[a-z]+(?:_[a-z]+)*$/, SLAP: /^ls_[a-z]+(?:_[a-z]+)*$/ } as const;
const MAX_NAME_LENGTH = 50;
/** Protocol, identity key, domain, topic or service, signature. */
const FIELD_COUNT = 5;

/**
 * Decodes the script of a SHIP or SLAP advertisement. Signature, key and host are not checked.
 *
 * @returns undefined for any other script
 */
export function decodeServiceAd(script: Uint8Array): ServiceAd | undefined {
  const [protocolField, identity, domain, nameField] = decodePushDrop(script, FIELD_COUNT)?.fields ?? [];
  if (protocolField === undefined || identity === undefined || domain === undefined || nameField === undefined) {
    return undefined;
  }
  const protocol = decodeLatin1(protocolField);
  const name = decodeLatin1(nameField);
  if (
    (protocol !== 'SHIP' && protocol !== 'SLAP') ||
    name.length > MAX_NAME_LENGTH ||
    !NAME_PATTERNS[protocol].test(name)
  ) {
    return undefined;
  }
  return { protocol, identityKey: Buffer.from(identity).toString('hex'), domain: decodeLatin1(domain), name };
}

/** Whether a script is such an advertisement for a reachable host, signed by the identity that it names. */
export function isServiceAd(
  script: Uint8Array,
  protocol: ServiceAd['protocol'],
  network: Network,
  signatures: TokenSignatures,
): boolean {
  const token = decodePushDrop(script, FIELD_COUNT);
  const identity = token?.fields[1];
  const ad = decodeServiceAd(script);
  if (token === undefined || identity === undefined || ad?.protocol !== protocol) return false;
  return (
    parseHostUrl(ad.domain, network) !== undefined && signatures.isOwn(token, identity, SERVICE_PROTOCOLS[protocol])
  );
}

/** Creates the locking script of an advertisement by the wallet's identity. */
export async function createServiceAdScript(
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

/** Advertisements contain only ASCII. Other bytes become characters that the checks refuse. */
function decodeLatin1(field: Uint8Array): string {
  return Buffer.from(field).toString('latin1');
}
