import {
  type LookupAnswer,
  LookupResolver,
  type OverlayBroadcastFacilitator,
  type OverlayLookupFacilitator,
  type STEAK,
  Transaction,
} from '@bsv/sdk';
import type { Logger } from '@messagebox/shared';
import { parseBeef } from '@messagebox/wallet';
import { decodeServiceAd } from '../topics/service-ad.js';
import { type HeldAd, outpointOf, PLACE_TOPICS, PLACES } from './ads.js';

const TIMEOUT_MS = 10_000;
/** SHIP advertisements name any host; more than this many are not told. */
const MOST_HOSTS = 32;

export interface TrackersOptions {
  /** Origins of SLAP trackers, which hold SHIP advertisements as well. Empty: this host is its own tracker. */
  readonly origins: readonly string[];
  /** This host, which hears of everything without a request. */
  readonly self: string | undefined;
  readonly lookup: OverlayLookupFacilitator;
  readonly broadcast: OverlayBroadcastFacilitator;
  readonly log: Logger;
}

/** Not one tracker has accepted the transaction. Worth another try. */
export class NotAcceptedError extends Error {
  override readonly name = 'NotAcceptedError';
}

/** The overlay hosts by which others find this one: the SLAP trackers, and those that advertise `tm_ship` or `tm_slap`. */
export class Trackers {
  constructor(private readonly options: TrackersOptions) {}

  /**
   * Shows a transaction to all trackers. Accepted is what one of them says it has admitted, or turns out to have: a
   * tracker that has seen the transaction before admits nothing a second time, and only a lookup tells.
   *
   * @returns the origins that accepted
   * @throws {NotAcceptedError} when there are trackers and none accepted
   */
  async show(beef: Uint8Array, created: readonly HeldAd[]): Promise<string[]> {
    const hosts = await this.#hosts();
    if (hosts.length === 0) return [];
    const plain = Transaction.fromAtomicBEEF([...beef]).toBEEF();
    const outcomes = await Promise.all(hosts.map((host) => this.#showTo(host, plain, created)));
    const accepted = outcomes.flatMap((outcome) => (outcome.problem === undefined ? [outcome.host] : []));
    if (accepted.length > 0) return accepted;
    const reasons = outcomes.map(({ host, problem }) => `${host}: ${problem}`).join('; ');
    throw new NotAcceptedError(`No tracker has accepted the transaction. ${reasons}`);
  }

  /** Those of `ads` that no tracker can be found by. Trackers that don't answer are not counted as not knowing. */
  async missing(ads: readonly HeldAd[]): Promise<HeldAd[]> {
    const hosts = await this.#hosts();
    const missing: HeldAd[] = [];
    for (const ad of ads) {
      const answers = await Promise.all(hosts.map((host) => this.#knows(host, ad).catch(() => undefined)));
      if (answers.includes(false) && !answers.includes(true)) missing.push(ad);
    }
    return missing;
  }

  async #hosts(): Promise<string[]> {
    const { origins, self } = this.options;
    if (origins.length === 0) return [];
    const found = await this.#advertised().catch((error: unknown) => {
      this.options.log.info({ reason: reasonOf(error) }, 'no hosts of tm_ship and tm_slap found besides the trackers');
      return [];
    });
    return [...new Set([...origins, ...found])].filter((host) => host !== self).slice(0, MOST_HOSTS);
  }

  async #advertised(): Promise<string[]> {
    const resolver = new LookupResolver({
      slapTrackers: [...this.options.origins],
      facilitator: this.options.lookup,
      // Its own: the SDK's default is one for the whole process, and what is down for one is down for all.
      reputationStorage: { get: () => undefined, set: () => {} },
    });
    const answer = await resolver.query({ service: 'ls_ship', query: { topics: PLACE_TOPICS } }, TIMEOUT_MS);
    return adsIn(answer).flatMap(({ ad }) =>
      ad.protocol === 'SHIP' && PLACE_TOPICS.includes(ad.name) ? [ad.domain] : [],
    );
  }

  async #showTo(host: string, beef: number[], created: readonly HeldAd[]): Promise<{ host: string; problem?: string }> {
    try {
      const steak = await this.options.broadcast.send(host, { beef, topics: [...PLACE_TOPICS] });
      for (const ad of created) {
        if (!admits(steak, ad) && !(await this.#knows(host, ad))) return { host, problem: 'admitted nothing' };
      }
      return { host };
    } catch (error) {
      const problem = reasonOf(error);
      this.options.log.warn({ host, reason: problem }, 'a tracker has not accepted an advertisement');
      return { host, problem };
    }
  }

  async #knows(host: string, held: HeldAd): Promise<boolean> {
    const service = PLACES[held.ad.protocol].lookup;
    const answer = await this.options.lookup.lookup(host, { service, query: { domain: held.ad.domain } }, TIMEOUT_MS);
    return adsIn(answer).some((found) => outpointOf(found) === outpointOf(held));
  }
}

function admits(steak: STEAK, { ad, outputIndex }: HeldAd): boolean {
  return steak[PLACES[ad.protocol].topic]?.outputsToAdmit.includes(outputIndex) ?? false;
}

/** The SHIP and SLAP advertisements in an answer; what can't be read is left out. */
function adsIn(answer: LookupAnswer): HeldAd[] {
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

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
