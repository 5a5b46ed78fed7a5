import type { SqlRunner } from '@messagebox/store';
import { toHostBase } from '../hosts/host-url.js';
import { shuffle } from '../http-client/shuffle.js';
import { type TopicHost, TopicHosts, type TopicHostsOptions } from '../http-client/topic-hosts.js';
import { ServiceAds } from '../lookups/service-ads.js';

export interface FindPeersOptions extends TopicHostsOptions {
  readonly sql: SqlRunner;
  /** OVERLAY_PEERS. */
  readonly peers: readonly string[];
  /** The addresses of this host, which are left out. Invalid ones are ignored. */
  readonly self: readonly string[];
}

/** Advertised peers for each topic. Anybody can be one, so a random subset is asked each time. */
const MAX_FOUND_PEERS = 16;
const MAX_KNOWN_ADS = 500;

/** Finds other hosts of each topic: configured ones, those advertised on this host, and those that the trackers know. */
export async function findPeers(
  topics: readonly string[],
  options: FindPeersOptions,
  signal?: AbortSignal,
): Promise<Map<string, string[]>> {
  const known = [
    ...(await findAdvertisedHere(topics, options)),
    ...(await new TopicHosts(options).find(topics, signal)),
  ];
  const self = new Set(normalizeHosts(options.self));
  const configured = normalizeHosts(options.peers).filter((host) => !self.has(host));
  const peers = topics.map((topic): [string, string[]] => {
    const found = new Set(known.filter((one) => one.topic === topic).map(({ host }) => host));
    for (const host of [...configured, ...self]) found.delete(host);
    return [topic, [...configured, ...shuffle(found).slice(0, MAX_FOUND_PEERS)]];
  });
  return new Map(peers);
}

async function findAdvertisedHere(topics: readonly string[], { sql, network }: FindPeersOptions): Promise<TopicHost[]> {
  const ads = await new ServiceAds(sql).find('SHIP', { names: topics }, MAX_KNOWN_ADS);
  return ads.flatMap(({ name, domain }) => {
    const host = toHostBase(domain, network);
    return host === undefined ? [] : [{ topic: name, host }];
  });
}

/** Accepts any address that the operator has configured. `PublicFetch` checks later that it is public. */
function normalizeHosts(hosts: readonly string[]): string[] {
  return hosts.flatMap((host) => toHostBase(host, 'local') ?? []);
}
