import type { LookupQuestion } from '@bsv/sdk';
import type { Logger, Network } from '@messagebox/shared';
import type { ServiceAd } from '../topics/service-ad.js';
import { hostBase } from './host-url.js';
import { lookupAds } from './lookup-ads.js';
import type { PublicFetch } from './public-fetch.js';
import { reasonOf } from './reason-of.js';
import { shuffled } from './shuffled.js';

export interface TopicHostsParts {
  readonly fetch: PublicFetch;
  readonly network: Network;
  /** Origins of SLAP trackers. Empty: nobody is asked. */
  readonly trackers: readonly string[];
  readonly log: Logger;
}

/** "This host holds this topic", as somebody advertises. */
export interface TopicHost {
  readonly topic: string;
  /** Where its paths begin. */
  readonly host: string;
}

const TIMEOUT_MS = 5_000;
/** Hosts besides the trackers that one question goes to. Anybody can be one; the others have luck another time. */
const MOST_HOSTS = 16;
/** Bytes of all answers to one question together. Each host has its share, so that none takes another's. */
const MOST_BYTES = 16_000_000;
const MOST_BYTES_OF_ONE = 4_000_000;

/**
 * Finds the hosts of topics: asks the SLAP trackers who has the lookup service for SHIP advertisements (BRC-101), then
 * those and the trackers themselves. In place of the SDK's `LookupResolver`, which makes a `Transaction` of whatever a
 * host answers, and does not come to an end with some.
 */
export class TopicHosts {
  constructor(private readonly parts: TopicHostsParts) {}

  /** Never throws: hosts that can't be asked count for nothing. */
  async find(topics: readonly string[], signal?: AbortSignal): Promise<TopicHost[]> {
    const { trackers } = this.parts;
    if (trackers.length === 0) return [];
    const services = await this.#ask(trackers, 'SLAP', { service: 'ls_slap', query: { service: 'ls_ship' } }, signal);
    const others = new Set(services.filter(({ topic }) => topic === 'ls_ship').map(({ host }) => host));
    for (const tracker of trackers) others.delete(tracker);
    const hosts = [...trackers, ...shuffled(others).slice(0, MOST_HOSTS)];
    const found = await this.#ask(hosts, 'SHIP', { service: 'ls_ship', query: { topics } }, signal);
    return found.filter(({ topic }) => topics.includes(topic));
  }

  async #ask(
    hosts: readonly string[],
    protocol: ServiceAd['protocol'],
    question: LookupQuestion,
    signal: AbortSignal | undefined,
  ): Promise<TopicHost[]> {
    const { fetch, network, log } = this.parts;
    const maxBytes = Math.min(MOST_BYTES_OF_ONE, Math.floor(MOST_BYTES / hosts.length));
    const answers = await Promise.all(
      hosts.map(async (at) => {
        try {
          const ads = await lookupAds(fetch, at, question, { maxBytes, timeoutMs: TIMEOUT_MS, signal });
          return ads.flatMap((ad): TopicHost[] => {
            const host = ad.protocol === protocol ? hostBase(ad.domain, network) : undefined;
            return host === undefined ? [] : [{ topic: ad.name, host }];
          });
        } catch (error) {
          log.debug({ host: at, service: question.service, reason: reasonOf(error) }, 'a lookup has failed');
          return undefined;
        }
      }),
    );
    if (answers.every((answer) => answer === undefined)) {
      log.info({ service: question.service, asked: hosts.length }, 'no host has answered a lookup');
    }
    return answers.flatMap((answer) => answer ?? []);
  }
}
