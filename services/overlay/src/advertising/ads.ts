import type { Outpoint } from '@messagebox/wallet';
import type { ServiceAd } from '../topics/service-ad.js';

/** A SHIP or SLAP advertisement (BRC-88) of this host. */
export type HostAd = Pick<ServiceAd, 'protocol' | 'name' | 'domain'>;

/** An advertisement in an output of the server's wallet. */
export interface HeldAd extends Outpoint {
  readonly ad: HostAd;
}

/** Where advertisements of each kind are submitted, and where they are found. */
export const PLACES = {
  SHIP: { topic: 'tm_ship', lookup: 'ls_ship' },
  SLAP: { topic: 'tm_slap', lookup: 'ls_slap' },
} as const;

export const PLACE_TOPICS: readonly string[] = [PLACES.SHIP.topic, PLACES.SLAP.topic];

/** What a host that runs this software has to offer. */
export function adsOf(origin: string): HostAd[] {
  return [
    { protocol: 'SHIP', name: 'tm_messagebox', domain: origin },
    { protocol: 'SLAP', name: 'ls_messagebox', domain: origin },
  ];
}

export function sameAd(one: HostAd, other: HostAd): boolean {
  return one.protocol === other.protocol && one.name === other.name && one.domain === other.domain;
}
