import type { STEAK } from '@bsv/sdk';
import type { Logger, Network } from '@messagebox/shared';
import { outpointKey, parseBeef, serializeBeef, withAncestors } from '@messagebox/wallet';
import { lookupAds } from '../net/lookup-ads.js';
import { FetchError, type PublicFetch } from '../net/public-fetch.js';
import { reasonOf } from '../net/reason-of.js';
import { submitTo } from '../net/submit-to.js';
import { TopicHosts } from '../net/topic-hosts.js';
import { type HeldAd, PLACE_TOPICS, PLACES, sameAd } from './ads.js';
import type { OwnTransaction } from './own-transactions.js';

const LOOKUP_TIMEOUT_MS = 10_000;
/** SHIP advertisements name any host; more than this many are not told. */
const MOST_OTHERS = 32;
/** For telling all of them, from finding them on. */
const OTHERS_MS = 60_000;

export interface TrackersOptions {
  /** Origins of SLAP trackers, which hold SHIP advertisements as well. Empty: this host is its own tracker. */
  readonly origins: readonly string[];
  /** This host, which hears of everything without a request. */
  readonly self: string | undefined;
  /** Whose advertisements they are: 66 hex characters. */
  readonly identityKey: string;
  readonly network: Network;
  readonly fetch: PublicFetch;
  readonly log: Logger;
}

/** Not one tracker has accepted the transactions. Worth another try. */
export class NotAcceptedError extends Error {
  override readonly name = 'NotAcceptedError';
}

/**
 * The overlay hosts by which others find this one: the SLAP trackers that the operator relies on, and any host that
 * advertises `tm_ship` or `tm_slap`. What the latter say decides nothing, since anybody can be one; nor does anybody wait
 * for them.
 */
export class Trackers {
  readonly #trusted: readonly string[];
  readonly #topicHosts: TopicHosts;
  readonly #closing = new AbortController();
  /** What the other hosts have not been told, by id, in its order. */
  readonly #untold = new Map<string, OwnTransaction>();
  #telling: Promise<void> | undefined;

  constructor(private readonly options: TrackersOptions) {
    this.#trusted = options.origins.filter((origin) => origin !== options.self);
    this.#topicHosts = new TopicHosts({ ...options, trackers: this.#trusted });
  }

  /**
   * Shows transactions to all trackers, to each in this order, so that none sees a spending before what is spent. A
   * tracker has accepted when it has all that they create: it says so, or turns out to have it. (One that has seen a
   * transaction before admits nothing a second time.) Other hosts are told besides.
   *
   * @returns the trackers that accepted
   * @throws {NotAcceptedError} when there are trackers and none accepted
   */
  async show(transactions: readonly OwnTransaction[]): Promise<string[]> {
    if (this.#trusted.length === 0) return [];
    for (const transaction of transactions) this.#untold.set(transaction.txid, transaction);
    // One round after the other, or a host might see a spending before what is spent.
    this.#telling ??= this.#tellOthers();
    const outcomes = await Promise.all(
      this.#trusted.map(async (host) => ({ host, problem: await this.#showTo(host, transactions) })),
    );
    const accepted = outcomes.flatMap(({ host, problem }) => (problem === undefined ? [host] : []));
    for (const { host, problem } of outcomes) {
      if (problem === undefined) continue;
      this.options.log.warn({ host, reason: problem }, 'a tracker has not accepted the advertisements');
    }
    if (accepted.length > 0) return accepted;
    const reasons = outcomes.map(({ host, problem }) => `${host}: ${problem}`).join('; ');
    throw new NotAcceptedError(`No tracker has accepted the advertisements. ${reasons}`);
  }

  /** Those of `ads` that no tracker can be found by. Trackers that don't answer are not counted as not knowing. */
  async missing(ads: readonly HeldAd[]): Promise<HeldAd[]> {
    const missing: HeldAd[] = [];
    for (const ad of ads) {
      const answers = await Promise.all(this.#trusted.map((host) => this.#knows(host, ad).catch(() => undefined)));
      if (answers.includes(false) && !answers.includes(true)) missing.push(ad);
    }
    return missing;
  }

  /** Resolves when the other hosts have been told, or could not be. */
  async told(): Promise<void> {
    await this.#telling;
  }

  /** Tells nobody any more. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#telling;
  }

  /** Never throws. */
  async #tellOthers(): Promise<void> {
    while (this.#untold.size > 0 && !this.#closing.signal.aborted) {
      const transactions = [...this.#untold.values()];
      this.#untold.clear();
      const signal = AbortSignal.any([this.#closing.signal, AbortSignal.timeout(OTHERS_MS)]);
      await Promise.all(
        (await this.#others(signal)).map(async (host) => {
          const problem = await this.#showTo(host, transactions, signal);
          if (problem === undefined) return;
          this.options.log.debug({ host, reason: problem }, 'a host has not accepted the advertisements');
        }),
      );
    }
    this.#telling = undefined;
  }

  /** Hosts that advertise to hold SHIP and SLAP advertisements, as the trackers tell. */
  async #others(signal: AbortSignal): Promise<string[]> {
    const { self } = this.options;
    const found = new Set((await this.#topicHosts.find(PLACE_TOPICS, signal)).map(({ host }) => host));
    return [...found].filter((host) => host !== self && !this.#trusted.includes(host)).slice(0, MOST_OTHERS);
  }

  /** @returns the first problem that keeps the host from having everything */
  async #showTo(
    host: string,
    transactions: readonly OwnTransaction[],
    signal?: AbortSignal,
  ): Promise<string | undefined> {
    let problem: string | undefined;
    for (const [index, { beef, created }] of transactions.entries()) {
      try {
        const steak = await submitTo(this.options.fetch, host, plain(beef), PLACE_TOPICS, signal);
        for (const ad of created) {
          if (!admits(steak, ad) && !(await this.#knows(host, ad, signal))) problem ??= 'It has admitted nothing.';
        }
      } catch (error) {
        // One that is refused, and of which nothing is left, does not stand in the way of those that came after it.
        const isObsolete = created.length === 0 && index < transactions.length - 1;
        if (!(isObsolete && isRefusal(error))) problem ??= reasonOf(error);
      }
    }
    return problem;
  }

  /** Whether the host finds the advertisement, or another one of ours that says the same. */
  async #knows(host: string, held: HeldAd, signal?: AbortSignal): Promise<boolean> {
    const { identityKey, fetch } = this.options;
    const { protocol, name, domain } = held.ad;
    const named = protocol === 'SHIP' ? { topics: [name] } : { service: name };
    const question = { service: PLACES[protocol].lookup, query: { ...named, domain, identityKey } };
    const found = await lookupAds(fetch, host, question, { timeoutMs: LOOKUP_TIMEOUT_MS, signal });
    return found.some(
      (ad) => outpointKey(ad) === outpointKey(held) || (ad.identityKey === identityKey && sameAd(ad, held.ad)),
    );
  }
}

/** What is submitted: the BEEF that the SDK submits too (V1), with nothing that the transaction does not rest on. */
function plain(beef: Uint8Array): Uint8Array {
  const { subject, transactions } = parseBeef(beef);
  return serializeBeef(
    withAncestors(subject.txid, (txid) => transactions.get(txid)),
    1,
  );
}

function admits(steak: STEAK, { ad, outputIndex }: HeldAd): boolean {
  return steak[PLACES[ad.protocol].topic]?.outputsToAdmit.includes(outputIndex) ?? false;
}

/** Whether the host would say the same another time. */
function isRefusal(error: unknown): boolean {
  const status = error instanceof FetchError ? error.status : undefined;
  return status !== undefined && status >= 400 && status < 500 && status !== 408 && status !== 429;
}
