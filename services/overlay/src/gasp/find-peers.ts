import type { SqlRunner } from '@messagebox/shared';
import { ServiceAds } from '../lookups/service-ads.js';
import { hostBase } from '../net/host-url.js';
import { shuffled } from '../net/shuffled.js';
import { type TopicHost, TopicHosts, type TopicHostsParts } from '../net/topic-hosts.js';

export interface FindPeersParts extends TopicHostsParts {
  readonly sql: SqlRunner;
  /** Configured by the operator (OVERLAY_PEERS). */
  readonly peers: readonly string[];
  /** By which others know this host. What is no address of a host is left out. */
  readonly self: readonly string[];
}

/** Advertised by whoever likes to: those above this number have luck another time. */
const MOST_FOUND = 16;
const MOST_ADS = 500;

/** Other hosts of each of the topics: configured ones, those advertised here, and those that the trackers know. */
export async function findPeers(
  topics: readonly string[],
  parts: FindPeersParts,
  signal?: AbortSignal,
): Promise<Map<string, string[]>> {
  const known = [...(await advertisedHere(topics, parts)), ...(await new TopicHosts(parts).find(topics, signal))];
  const self = new Set(asGiven(parts.self));
  const configured = asGiven(parts.peers).filter((host) => !self.has(host));
  const peers = topics.map((topic): [string, string[]] => {
    const found = new Set(known.filter((one) => one.topic === topic).map(({ host }) => host));
    for (const host of [...configured, ...self]) found.delete(host);
    return [topic, [...configured, ...shuffled(found).slice(0, MOST_FOUND)]];
  });
  return new Map(peers);
}

async function advertisedHere(topics: readonly string[], { sql, network }: FindPeersParts): Promise<TopicHost[]> {
  const ads = await new ServiceAds(sql).find('SHIP', { names: topics }, MOST_ADS);
  return ads.flatMap(({ name, domain }) => {
    const host = hostBase(domain, network);
    return host === undefined ? [] : [{ topic: name, host }];
  });
}

/** Whatever the network: the operator knows them. That a request goes to a public address is seen to where it is made. */
function asGiven(hosts: readonly string[]): string[] {
  return hosts.flatMap((host) => hostBase(host, 'local') ?? []);
}
