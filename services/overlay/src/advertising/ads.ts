/** A SHIP or SLAP advertisement (BRC-88): this host serves that topic or lookup service at this domain. */
export interface ServiceAd {
  readonly protocol: 'SHIP' | 'SLAP';
  /** `tm_…` for SHIP, `ls_…` for SLAP. */
  readonly name: string;
  /** An origin such as `https://messagebox.example`. */
  readonly domain: string;
}

export interface Outpoint {
  /** 64 hex characters. */
  readonly txid: string;
  readonly outputIndex: number;
}

/** An advertisement in an unspent output of the server's wallet. */
export interface HeldAd extends Outpoint {
  readonly ad: ServiceAd;
}

/** BRC-88: the keys of SHIP and SLAP tokens are derived for these, with key id `1` and counterparty `anyone`. */
export const PROTOCOLS = {
  SHIP: { protocolID: [2, 'service host interconnect'], topic: 'tm_ship', lookup: 'ls_ship' },
  SLAP: { protocolID: [2, 'service lookup availability'], topic: 'tm_slap', lookup: 'ls_slap' },
} as const;

/** What a host that runs this software has to offer. */
export function adsOf(origin: string): ServiceAd[] {
  return [
    { protocol: 'SHIP', name: 'tm_messagebox', domain: origin },
    { protocol: 'SLAP', name: 'ls_messagebox', domain: origin },
  ];
}

export function sameAd(one: ServiceAd, other: ServiceAd): boolean {
  return one.protocol === other.protocol && one.name === other.name && one.domain === other.domain;
}
