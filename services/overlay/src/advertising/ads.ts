import type { Outpoint } from '@messagebox/transactions';
import type { ServiceAd } from '../topics/service-ad.js';

/** A SHIP or SLAP advertisement (BRC-88) of this host. */
export type HostAd = Pick<ServiceAd, 'protocol' | 'name' | 'domain'>;

/** An advertisement in an output of the server's wallet. */
export interface OwnedAd extends Outpoint {
  readonly ad: HostAd;
}

/** The topic and the lookup service of each kind of advertisement. */
export const AD_ENDPOINTS = {
  SHIP: { topic: 'tm_ship', lookup: 'ls_ship' },
  SLAP: { topic: 'tm_slap', lookup: 'ls_slap' },
} as const;

export const AD_TOPICS: readonly string[] = [AD_ENDPOINTS.SHIP.topic, AD_ENDPOINTS.SLAP.topic];

/** Creates the advertisements of a host that runs this software. */
export function createHostAds(origin: string): HostAd[] {
  return [
    { protocol: 'SHIP', name: 'tm_messagebox', domain: origin },
    { protocol: 'SLAP', name: 'ls_messagebox', domain: origin },
  ];
}

export function isSameAd(one: HostAd, other: HostAd): boolean {
  return one.protocol === other.protocol && one.name === other.name && one.domain === other.domain;
}
