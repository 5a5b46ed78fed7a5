import {
  type LookupAnswer,
  LookupResolver,
  type OverlayBroadcastFacilitator,
  type OverlayLookupFacilitator,
  type STEAK,
  Transaction,
} from '@bsv/sdk';
import type { Logger, Network } from '@messagebox/shared';
import { parseBeef } from '@messagebox/wallet';
import { hostUrl } from '../net/host-url.js';
import { FetchError } from '../net/public-fetch.js';
import { decodeServiceAd, type ServiceAd } from '../topics/service-ad.js';
import { type HeldAd, type HostAd, type Outpoint, outpointOf, PLACE_TOPICS, PLACES, sameAd } from './ads.js';
import type { OwnTransaction } from './own-transactions.js';

const TIMEOUT_MS = 10_000;
/** SHIP advertisements name any host; more than this many are not told. */
const MOST_HOSTS = 32;

export interface TrackersOptions {
  /** Origins of SLAP trackers, which hold SHIP advertisements as well. Empty: this host is its own tracker. */
  readonly origins: readonly string[];
  /** This host, which hears of everything without a request. */
  readonly self: string | undefined;
  /** Whose advertisements they are: 66 hex characters. */
  readonly identityKey: string;
  readonly network: Network;
  readonly lookup: OverlayLookupFacilitator;
  readonly broadcast: OverlayBroadcastFacilitator;
  readonly log: Logger;
}

/** Not one tracker has accepted the transactions. Worth another try. */
export class NotAcceptedError extends Error {
  override readonly name = 'NotAcceptedError';
}

/**
 * The overlay hosts by which others find this one: the SLAP trackers that the operator relies on, and any host that
 * advertises `tm_ship` or `tm_slap`. What the latter say decides nothing, since anybody can be one.
 */
export class Trackers {
  readonly #trusted: readonly string[];

  constructor(private readonly options: TrackersOptions) {
    this.#trusted = options.origins.filter((origin) => origin !== options.self);
  }

  /**
   * Shows transactions to all trackers, to each in this order, so that none sees a spending before what is spent. A
   * tracker has accepted when it has all that they create: it says so, or turns out to have it. (One that has seen a
   * transaction before admits nothing a second time.)
   *
   * @returns the trackers that accepted
   * @throws {NotAcceptedError} when there are trackers and none accepted
   */
  async show(transactions: readonly OwnTransaction[]): Promise<string[]> {
    if (this.#trusted.length === 0) return [];
    const others = await this.#others();
    const [outcomes] = await Promise.all([
      Promise.all(this.#trusted.map((host) => this.#showTo(host, transactions))),
      Promise.all(others.map((host) => this.#showTo(host, transactions))),
    ]);
    const accepted = outcomes.flatMap(({ host, problem }) => (problem === undefined ? [host] : []));
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

  /** Hosts that advertise to hold SHIP and SLAP advertisements, as the trackers tell. */
  async #others(): Promise<string[]> {
    const { self, network, log } = this.options;
    try {
      const found = (await this.#advertised()).flatMap((domain) => {
        const url = hostUrl(domain, network);
        return url === undefined ? [] : [`${url.origin}${url.pathname.replace(/\/+$/, '')}`];
      });
      return [...new Set(found)]
        .filter((host) => host !== self && !this.#trusted.includes(host))
        .slice(0, MOST_HOSTS - this.#trusted.length);
    } catch (error) {
      log.info({ reason: reasonOf(error) }, 'no hosts of tm_ship and tm_slap found besides the trackers');
      return [];
    }
  }

  async #advertised(): Promise<string[]> {
    const resolver = new LookupResolver({
      slapTrackers: [...this.#trusted],
      facilitator: this.options.lookup,
      // Its own: the SDK's default is one for the whole process, and what is down for one is down for all.
      reputationStorage: { get: () => undefined, set: () => {} },
    });
    const answer = await resolver.query({ service: 'ls_ship', query: { topics: PLACE_TOPICS } }, TIMEOUT_MS);
    return adsIn(answer).flatMap(({ ad }) =>
      ad.protocol === 'SHIP' && PLACE_TOPICS.includes(ad.name) ? [ad.domain] : [],
    );
  }

  /** @returns the first problem that keeps the host from having everything */
  async #showTo(host: string, transactions: readonly OwnTransaction[]): Promise<{ host: string; problem?: string }> {
    let problem: string | undefined;
    for (const [index, { beef, created }] of transactions.entries()) {
      try {
        const steak = await this.#submit(host, beef);
        for (const ad of created) {
          if (!admits(steak, ad) && !(await this.#knows(host, ad))) problem ??= 'It has admitted nothing.';
        }
      } catch (error) {
        // One that is refused, and of which nothing is left, does not stand in the way of those that came after it.
        const isObsolete = created.length === 0 && index < transactions.length - 1;
        if (!(isObsolete && isRefusal(error))) problem ??= reasonOf(error);
      }
    }
    if (problem === undefined) return { host };
    this.options.log.warn({ host, reason: problem }, 'a tracker has not accepted the advertisements');
    return { host, problem };
  }

  async #submit(host: string, beef: Uint8Array): Promise<STEAK> {
    const plain = Transaction.fromAtomicBEEF([...beef]).toBEEF();
    return await this.options.broadcast.send(host, { beef: plain, topics: [...PLACE_TOPICS] });
  }

  /** Whether the host finds the advertisement, or another one of ours that says the same. */
  async #knows(host: string, held: HeldAd): Promise<boolean> {
    const { identityKey, lookup } = this.options;
    const { protocol, name, domain } = held.ad;
    const named = protocol === 'SHIP' ? { topics: [name] } : { service: name };
    const query = { ...named, domain, identityKey };
    const answer = await lookup.lookup(host, { service: PLACES[protocol].lookup, query }, TIMEOUT_MS);
    return adsIn(answer).some(
      (found) => outpointOf(found) === outpointOf(held) || isOurs(found.ad, held.ad, identityKey),
    );
  }
}

function isOurs(found: ServiceAd, ad: HostAd, identityKey: string): boolean {
  return found.identityKey === identityKey && sameAd(found, ad);
}

function admits(steak: STEAK, { ad, outputIndex }: HeldAd): boolean {
  return steak[PLACES[ad.protocol].topic]?.outputsToAdmit.includes(outputIndex) ?? false;
}

/** The SHIP and SLAP advertisements in an answer; what can't be read is left out. */
function adsIn(answer: LookupAnswer): (Outpoint & { readonly ad: ServiceAd })[] {
  if (answer.type !== 'output-list') return [];
  return answer.outputs.flatMap(({ beef, outputIndex }) => {
    try {
      const { subject } = parseBeef(Uint8Array.from(beef));
      const ad = decodeServiceAd(subject.outputs[outputIndex]?.script ?? new Uint8Array());
      return ad === undefined ? [] : [{ txid: subject.txid, outputIndex, ad }];
    } catch {
      return [];
    }
  });
}

/** Whether the host would say the same another time. */
function isRefusal(error: unknown): boolean {
  const status = error instanceof FetchError ? error.status : undefined;
  return status !== undefined && status >= 400 && status < 500 && status !== 408 && status !== 429;
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
