import { type LookupAnswer, LookupResolver } from '@bsv/sdk';
import type { Logger, Network, SqlRunner } from '@messagebox/shared';
import { parseBeef } from '@messagebox/wallet';
import { ServiceAds } from '../lookups/service-ads.js';
import { BoundedLookupFacilitator } from '../net/facilitators.js';
import { hostUrl } from '../net/host-url.js';
import type { PublicFetch } from '../net/public-fetch.js';
import { decodeServiceAd } from '../topics/service-ad.js';

export interface FindPeersParts {
  readonly sql: SqlRunner;
  readonly fetch: PublicFetch;
  readonly network: Network;
  /** Configured by the operator (OVERLAY_PEERS). */
  readonly peers: readonly string[];
  /** Origins of SLAP trackers. Undefined: the SDK's for the network, and none on local. */
  readonly slapTrackers: readonly string[] | undefined;
  /** Origins by which others know this host. */
  readonly self: readonly string[];
  readonly log: Logger;
}

const TRACKERS_TIMEOUT_MS = 10_000;
/** Advertised by whoever likes to: those above this number have luck another time. */
const MOST_FOUND = 16;
const MOST_ADS = 500;

/** Other hosts of each of the topics: configured ones, those advertised here, and those that the trackers know. */
export async function findPeers(topics: readonly string[], parts: FindPeersParts): Promise<Map<string, string[]>> {
  const ads = [...(await ownAds(topics, parts)), ...(await adsOfTrackers(topics, parts))];
  const configured = parts.peers.map(normalised);
  const self = new Set(parts.self.map(normalised));
  const peers = topics.map((topic): [string, string[]] => {
    const found = ads.flatMap(({ name, domain }) =>
      name === topic && hostUrl(domain, parts.network) !== undefined ? [normalised(domain)] : [],
    );
    const others = shuffled([...new Set(found)].filter((host) => !configured.includes(host) && !self.has(host)));
    return [topic, [...configured.filter((host) => !self.has(host)), ...others.slice(0, MOST_FOUND)]];
  });
  return new Map(peers);
}

interface Advertised {
  readonly name: string;
  readonly domain: string;
}

async function ownAds(topics: readonly string[], { sql }: FindPeersParts): Promise<Advertised[]> {
  return await new ServiceAds(sql).find('SHIP', { names: topics }, MOST_ADS);
}

async function adsOfTrackers(topics: readonly string[], parts: FindPeersParts): Promise<Advertised[]> {
  const { network, slapTrackers, fetch, log } = parts;
  if (slapTrackers?.length === 0 || (slapTrackers === undefined && network === 'local')) return [];
  const resolver = new LookupResolver({
    networkPreset: network === 'test' ? 'testnet' : 'mainnet',
    ...(slapTrackers === undefined ? {} : { slapTrackers: [...slapTrackers] }),
    facilitator: new BoundedLookupFacilitator(fetch),
    // Its own: by default one for the whole process remembers who was down, and leaves them out.
    reputationStorage: { get: () => undefined, set: () => {} },
  });
  try {
    return advertisedIn(await resolver.query({ service: 'ls_ship', query: { topics } }, TRACKERS_TIMEOUT_MS));
  } catch (error) {
    log.info({ reason: error instanceof Error ? error.message : String(error) }, 'the SLAP trackers know no hosts');
    return [];
  }
}

function advertisedIn(answer: LookupAnswer): Advertised[] {
  if (answer.type !== 'output-list') return [];
  return answer.outputs.flatMap(({ beef, outputIndex }) => {
    const script = parseBeef(Uint8Array.from(beef)).subject.outputs[outputIndex]?.script;
    const ad = script === undefined ? undefined : decodeServiceAd(script);
    return ad?.protocol === 'SHIP' ? [ad] : [];
  });
}

/** Without a slash at its end, since paths are put behind it. */
function normalised(host: string): string {
  const url = new URL(host);
  return `${url.origin}${url.pathname.replace(/\/+$/, '')}`;
}

function shuffled<T>(items: readonly T[]): T[] {
  return items
    .map((item) => ({ item, order: Math.random() }))
    .sort((a, b) => a.order - b.order)
    .map(({ item }) => item);
}
