import type { STEAK } from '@bsv/sdk';
import { describeError, FetchError, type Logger, type Network, type PublicFetch } from '@messagebox/shared';
import { collectWithAncestors, parseBeef, serializeBeef, toOutpointKey } from '@messagebox/transactions';
import { queryServiceAds } from '../http-client/query-service-ads.js';
import { submitToHost } from '../http-client/submit-to-host.js';
import { TopicHosts } from '../http-client/topic-hosts.js';
import { AD_ENDPOINTS, AD_TOPICS, isSameAd, type OwnedAd } from './ads.js';
import type { OwnTransaction } from './own-transaction-store.js';

const LOOKUP_TIMEOUT_MS = 10_000;
/** Hosts besides the trackers that are told. Anybody can advertise one. */
const MAX_OTHER_HOSTS = 32;
/** The time limit for finding and telling all of them. */
const NOTIFY_TIMEOUT_MS = 60_000;

export interface TrackersOptions {
  /** Origins of SLAP trackers, which hold SHIP advertisements as well. Without any, this host is its own tracker. */
  readonly origins: readonly string[];
  /** The origin of this host, which needs no request. */
  readonly self: string | undefined;
  /** The identity of this server: 66 hex characters. */
  readonly identityKey: string;
  readonly network: Network;
  readonly fetch: PublicFetch;
  readonly log: Logger;
}

/** No tracker has accepted the transactions. Can be retried later. */
export class NotAcceptedError extends Error {
  override readonly name = 'NotAcceptedError';
}

/**
 * The overlay hosts by which clients find this one: the SLAP trackers that the operator trusts, and all hosts that
 * advertise `tm_ship` or `tm_slap`. Anybody can advertise, so the answers of the latter are ignored and not waited for.
 */
export class Trackers {
  readonly #trusted: readonly string[];
  readonly #topicHosts: TopicHosts;
  readonly #closing = new AbortController();
  /** Transactions that the other hosts are still to be told, by txid, in their order. */
  readonly #pendingNotifications = new Map<string, OwnTransaction>();
  #notifying: Promise<void> | undefined;

  constructor(private readonly options: TrackersOptions) {
    this.#trusted = options.origins.filter((origin) => origin !== options.self);
    this.#topicHosts = new TopicHosts({ ...options, trackers: this.#trusted });
  }

  /**
   * Submits transactions to all trackers, in the given order, so that none sees a spending transaction before the spent one.
   * A tracker has accepted when it holds all advertisements that they create: its answer admits them, or its lookup finds
   * them. (For a known transaction the answer admits nothing.) Other hosts are told in the background.
   *
   * @returns the origins of the trackers that accepted
   * @throws {NotAcceptedError} when there are trackers and none accepted
   */
  async announce(transactions: readonly OwnTransaction[]): Promise<string[]> {
    if (this.#trusted.length === 0) return [];
    for (const transaction of transactions) this.#pendingNotifications.set(transaction.txid, transaction);
    // Rounds must not overlap, or a host might see a spending transaction before the spent one.
    this.#notifying ??= this.#notifyOthers();
    const outcomes = await Promise.all(
      this.#trusted.map(async (host) => ({ host, problem: await this.#announceTo(host, transactions) })),
    );
    const accepted = outcomes.flatMap(({ host, problem }) => (problem === undefined ? [host] : []));
    for (const { host, problem } of outcomes) {
      if (problem === undefined) continue;
      this.options.log.warn({ host, reason: problem }, 'a tracker did not accept the advertisements');
    }
    if (accepted.length > 0) return accepted;
    const reasons = outcomes.map(({ host, problem }) => `${host}: ${problem}`).join('; ');
    throw new NotAcceptedError(`No tracker accepted the advertisements. ${reasons}`);
  }

  /** @returns those of `ads` that no tracker knows and at least one has answered for */
  async findMissing(ads: readonly OwnedAd[]): Promise<OwnedAd[]> {
    const missing: OwnedAd[] = [];
    for (const ad of ads) {
      const answers = await Promise.all(this.#trusted.map((host) => this.#isKnownTo(host, ad).catch(() => undefined)));
      if (answers.includes(false) && !answers.includes(true)) missing.push(ad);
    }
    return missing;
  }

  /** Resolves when no announcement to other hosts is pending. */
  async idle(): Promise<void> {
    await this.#notifying;
  }

  /** Stops announcing. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#notifying;
  }

  /** Never throws. */
  async #notifyOthers(): Promise<void> {
    while (this.#pendingNotifications.size > 0 && !this.#closing.signal.aborted) {
      const transactions = [...this.#pendingNotifications.values()];
      this.#pendingNotifications.clear();
      const signal = AbortSignal.any([this.#closing.signal, AbortSignal.timeout(NOTIFY_TIMEOUT_MS)]);
      await Promise.all(
        (await this.#findOtherHosts(signal)).map(async (host) => {
          const problem = await this.#announceTo(host, transactions, signal);
          if (problem === undefined) return;
          this.options.log.debug({ host, reason: problem }, 'a host did not accept the advertisements');
        }),
      );
    }
    this.#notifying = undefined;
  }

  /** Asks the trackers for hosts that advertise `tm_ship` or `tm_slap`. */
  async #findOtherHosts(signal: AbortSignal): Promise<string[]> {
    const { self } = this.options;
    const found = new Set((await this.#topicHosts.find(AD_TOPICS, signal)).map(({ host }) => host));
    return [...found].filter((host) => host !== self && !this.#trusted.includes(host)).slice(0, MAX_OTHER_HOSTS);
  }

  /** @returns the first reason why the host does not hold everything; undefined when it does */
  async #announceTo(
    host: string,
    transactions: readonly OwnTransaction[],
    signal?: AbortSignal,
  ): Promise<string | undefined> {
    let problem: string | undefined;
    for (const [index, { beef, created }] of transactions.entries()) {
      try {
        const steak = await submitToHost(this.options.fetch, host, toPlainBeef(beef), AD_TOPICS, signal);
        for (const ad of created) {
          if (!isAdmitted(steak, ad) && !(await this.#isKnownTo(host, ad, signal)))
            problem ??= 'The host admitted nothing.';
        }
      } catch (error) {
        // A refused transaction without live advertisements is obsolete when another one follows.
        const isObsolete = created.length === 0 && index < transactions.length - 1;
        if (!(isObsolete && isPermanentRefusal(error))) problem ??= describeError(error);
      }
    }
    return problem;
  }

  /** Whether the host finds the advertisement, or an equal one of this identity. */
  async #isKnownTo(host: string, held: OwnedAd, signal?: AbortSignal): Promise<boolean> {
    const { identityKey, fetch } = this.options;
    const { protocol, name, domain } = held.ad;
    const named = protocol === 'SHIP' ? { topics: [name] } : { service: name };
    const question = { service: AD_ENDPOINTS[protocol].lookup, query: { ...named, domain, identityKey } };
    const found = await queryServiceAds(fetch, host, question, { timeoutMs: LOOKUP_TIMEOUT_MS, signal });
    return found.some(
      (ad) => toOutpointKey(ad) === toOutpointKey(held) || (ad.identityKey === identityKey && isSameAd(ad, held.ad)),
    );
  }
}

/** Converts to the form that the SDK submits: BEEF V1, with only the transactions that are needed. */
function toPlainBeef(beef: Uint8Array): Uint8Array {
  const { subject, transactions } = parseBeef(beef);
  return serializeBeef(
    collectWithAncestors(subject.txid, (txid) => transactions.get(txid)),
    1,
  );
}

function isAdmitted(steak: STEAK, { ad, outputIndex }: OwnedAd): boolean {
  return steak[AD_ENDPOINTS[ad.protocol].topic]?.outputsToAdmit.includes(outputIndex) ?? false;
}

/** Whether the host would refuse again. */
function isPermanentRefusal(error: unknown): boolean {
  const status = error instanceof FetchError ? error.status : undefined;
  return status !== undefined && status >= 400 && status < 500 && status !== 408 && status !== 429;
}
