import type { LookupQuestion } from '@bsv/sdk';
import { describeError, type Logger, type Network, type PublicFetch } from '@messagebox/shared';
import { toHostBase } from '../hosts/host-url.js';
import type { ServiceAd } from '../topics/service-ad.js';
import { queryServiceAds } from './query-service-ads.js';
import { shuffle } from './shuffle.js';

export interface TopicHostsOptions {
  readonly fetch: PublicFetch;
  readonly network: Network;
  /** Origins of SLAP trackers. Without any, no host is found. */
  readonly trackers: readonly string[];
  readonly log: Logger;
}

/** A host of a topic, as an advertisement names it. */
export interface TopicHost {
  readonly topic: string;
  /** The base of its paths. */
  readonly host: string;
}

const LOOKUP_TIMEOUT_MS = 5_000;
/** Hosts besides the trackers that one query goes to. Anybody can be one, so a random subset is asked each time. */
const MAX_HOSTS = 16;
/** Bytes of all answers to one query together, divided equally among the hosts. */
const MAX_ANSWERS_BYTES = 16_000_000;
const MAX_BYTES_PER_HOST = 4_000_000;

/**
 * Finds the hosts of topics (BRC-101): asks the SLAP trackers for the hosts of `ls_ship`, then asks those hosts and the
 * trackers for the topics. Replaces the SDK's `LookupResolver`, which parses each answer into `Transaction` objects, and
 * loops forever on some answers.
 */
export class TopicHosts {
  constructor(private readonly options: TopicHostsOptions) {}

  /** Never throws: hosts that don't answer are skipped. */
  async find(topics: readonly string[], signal?: AbortSignal): Promise<TopicHost[]> {
    const { trackers } = this.options;
    if (trackers.length === 0) return [];
    const services = await this.#ask(trackers, 'SLAP', { service: 'ls_slap', query: { service: 'ls_ship' } }, signal);
    const others = new Set(services.filter(({ topic }) => topic === 'ls_ship').map(({ host }) => host));
    for (const tracker of trackers) others.delete(tracker);
    const hosts = [...trackers, ...shuffle(others).slice(0, MAX_HOSTS)];
    const found = await this.#ask(hosts, 'SHIP', { service: 'ls_ship', query: { topics } }, signal);
    return found.filter(({ topic }) => topics.includes(topic));
  }

  async #ask(
    hosts: readonly string[],
    protocol: ServiceAd['protocol'],
    question: LookupQuestion,
    signal: AbortSignal | undefined,
  ): Promise<TopicHost[]> {
    const { fetch, network, log } = this.options;
    const maxBytes = Math.min(MAX_BYTES_PER_HOST, Math.floor(MAX_ANSWERS_BYTES / hosts.length));
    const answers = await Promise.all(
      hosts.map(async (at) => {
        try {
          const ads = await queryServiceAds(fetch, at, question, { maxBytes, timeoutMs: LOOKUP_TIMEOUT_MS, signal });
          return ads.flatMap((ad): TopicHost[] => {
            const host = ad.protocol === protocol ? toHostBase(ad.domain, network) : undefined;
            return host === undefined ? [] : [{ topic: ad.name, host }];
          });
        } catch (error) {
          log.debug(
            { host: at, service: question.service, reason: describeError(error) },
            'a lookup at another host failed',
          );
          return undefined;
        }
      }),
    );
    if (answers.every((answer) => answer === undefined)) {
      log.info({ service: question.service, asked: hosts.length }, 'no host answered a lookup');
    }
    return answers.flatMap((answer) => answer ?? []);
  }
}
