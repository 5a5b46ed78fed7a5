import type { Beef } from '@bsv/sdk';
import { type Exclusive, type HeldLock, type Logger, RuleError } from '@messagebox/shared';
import { outpointKey } from '@messagebox/wallet';
import { type AdWallet, type HeldAds, HeldBackError, RefusedByNetworkError } from './ad-wallet.js';
import { adsOf, type HeldAd, type HostAd, sameAd } from './ads.js';
import type { OwnTransaction, OwnTransactions } from './own-transactions.js';
import type { Trackers } from './trackers.js';

export interface ReconcileParts {
  readonly exclusive: Exclusive;
  readonly own: OwnTransactions;
  /** Opened on the first use only: a host that advertises nothing needs no wallet. */
  readonly wallet: () => Promise<AdWallet>;
  /** Sees to it that the wallet can pay for a transaction. */
  readonly fund: () => Promise<void>;
  readonly trackers: Pick<Trackers, 'show' | 'missing'>;
  /** Submits to this host's own `tm_ship` and `tm_slap`. */
  readonly submit: (beef: Uint8Array) => Promise<void>;
  /** The origin to advertise. Undefined: none. */
  readonly origin: string | undefined;
  readonly log: Logger;
  /** Told of each step that was done, and waited for. For tests, which interrupt it there. */
  readonly onStep?: ((step: ReconcileStep) => Promise<void>) | undefined;
}

/** In this order. `begun` and `remembered` only when something is revoked. */
export type ReconcileStep =
  | 'locked'
  | 'begun'
  | 'remembered'
  | 'signed'
  | 'recorded'
  | 'sent'
  | 'submitted'
  | 'shown'
  | 'accepted';

/** What a run has done: txids, and advertisements as `protocol name domain`. */
export type Reconciliation = {
  readonly advertised: string[];
  readonly created: string[];
  readonly revoked: string[];
  /** Shown to trackers again because they didn't know it. */
  readonly renewed: string[];
  readonly transactions: string[];
};

const NOTHING: Reconciliation = { advertised: [], created: [], revoked: [], renewed: [], transactions: [] };

/**
 * Makes what is advertised what should be: whatever is missing is created and whatever is too much is revoked, in one
 * transaction (BRC-88). Run twice, or by two workers at once, or again after an interruption anywhere, it never
 * advertises twice:
 *
 * 1. one run at a time, by a lock in the database;
 * 2. the wallet signs a transaction without sending it, and knows it from then on;
 * 3. it is written down, then sent to the network, to our own topics and to the trackers, and done when accepted;
 * 4. each run first finishes what the last one has left: signed and not written down (the wallet tells), written down
 *    and not accepted (the same transaction is sent again), unsigned (given up).
 */
export class Reconciler {
  constructor(private readonly parts: ReconcileParts) {}

  /**
   * @param renewAll show what is advertised to the trackers again, whatever they know
   * @throws {NotAcceptedError} and whatever a wallet or a network says: worth another try, which goes on where this
   *   one has stopped
   */
  async reconcile(renewAll = false): Promise<Reconciliation> {
    return await this.parts.exclusive.run('overlay advertising', (lock) => this.#reconcile(lock, renewAll));
  }

  async #reconcile(lock: HeldLock, renewAll: boolean): Promise<Reconciliation> {
    const { own, origin, trackers } = this.parts;
    await this.#done('locked');
    const wanted = origin !== undefined && (await own.advertisingWanted()) ? adsOf(origin) : [];
    if (wanted.length === 0 && !(await own.anything())) return NOTHING;

    const wallet = await this.parts.wallet();
    await this.#tidy(wallet);
    await this.#sendUnaccepted(wallet);
    const held = await this.#held(wallet);
    const kept = keep(wanted, held.ads);
    const create = wanted.filter((ad) => !kept.some((there) => sameAd(there.ad, ad)));
    const revoke = held.ads.filter((there) => !kept.includes(there));
    if (create.length + revoke.length > 0) {
      await this.#make(wallet, lock, create, revoke, held.beef);
      await own.mirror((await wallet.held()).ads, new Date());
    }
    await this.#submitKept(kept, held.beef);
    const shown = await this.#showUnaccepted(held.beef);
    const settled = kept.filter(({ txid }) => !shown.includes(txid));
    const renew = renewAll ? settled : await trackers.missing(settled);
    return {
      advertised: wanted.map(textOf),
      created: create.map(textOf),
      revoked: revoke.map(({ ad }) => textOf(ad)),
      renewed: renew.map(({ ad }) => textOf(ad)),
      transactions: [...shown, ...(await this.#renew(renew, held.beef))],
    };
  }

  /** Gives up what was not signed; writes down what was signed, or gives it up where it can't be told what it was. */
  async #tidy(wallet: AdWallet): Promise<void> {
    const { own, log } = this.parts;
    const unsigned = await own.unsigned();
    if (unsigned !== undefined) {
      await wallet.abort(unsigned);
      await own.forgetUnsigned();
    }
    const held = await wallet.held();
    for (const txid of new Set(held.ads.map((ad) => ad.txid))) {
      const state = await own.state(txid);
      if (state === 'made' || state === 'accepted') continue;
      log.info({ txid }, 'a signed transaction was found that had not been written down');
      const created = held.ads.filter((ad) => ad.txid === txid);
      await own.record({ txid, beef: atomic(held.beef, txid), created, revoked: [] }, new Date());
    }
    for (const txid of await wallet.unsent()) {
      // It only revokes, so nothing in the wallet shows it; nobody was told of it, so it can be made again.
      if ((await own.state(txid)) !== 'made') await wallet.abort(txid);
    }
  }

  /** The network first, then our own topics. Trackers are shown them when it is clear what else there is to show. */
  async #sendUnaccepted(wallet: AdWallet): Promise<void> {
    for (const transaction of await this.parts.own.unaccepted()) await this.#send(wallet, transaction);
  }

  async #send(wallet: AdWallet, { txid, beef }: OwnTransaction): Promise<void> {
    const { own } = this.parts;
    try {
      await wallet.send(txid);
    } catch (error) {
      if (error instanceof RefusedByNetworkError) await own.refused(txid, error.message);
      throw error;
    }
    await this.#done('sent');
    await this.#submit(txid, beef);
    await this.#done('submitted');
  }

  /**
   * To our own topics. They may still have a rival that the network has dropped since, or find what the transaction rests
   * on too large (the money is what strangers have paid), until it comes with its merkle path; that must not keep it from
   * the trackers, nor keep all that comes after it waiting.
   */
  async #submit(txid: string, beef: Uint8Array): Promise<void> {
    try {
      await this.parts.submit(beef);
    } catch (error) {
      if (!(error instanceof RuleError)) throw error;
      this.parts.log.warn({ txid, reason: error.message }, 'our own topics do not take an advertisement yet');
    }
  }

  /** What they have already costs a look; what they have lost, or refused, they get again, by now with its merkle path. */
  async #submitKept(kept: readonly HeldAd[], beef: Beef): Promise<void> {
    for (const txid of new Set(kept.map((ad) => ad.txid))) await this.#submit(txid, atomic(beef, txid));
  }

  /** What the wallet holds; our own list is made the same. @throws {HeldBackError} */
  async #held(wallet: AdWallet): Promise<HeldAds> {
    const { own } = this.parts;
    const held = await wallet.held();
    const there = new Set(held.ads.map(outpointKey));
    const lost = (await own.live()).filter((ad) => !there.has(outpointKey(ad)));
    // Taking them for gone, and making others in their place, would advertise twice.
    if (lost.length > 0 && (await wallet.holdsBack(lost))) {
      throw new HeldBackError(`The wallet holds back ${lost.length} advertisements for an interrupted action.`);
    }
    await own.mirror(held.ads, new Date());
    return held;
  }

  async #make(
    wallet: AdWallet,
    lock: HeldLock,
    create: readonly HostAd[],
    revoke: readonly HeldAd[],
    beef: Beef,
  ): Promise<void> {
    const { own, fund } = this.parts;
    await fund();
    await lock.assertHeld();
    const made = await wallet.make(create, revoke, beef, async (reference) => {
      await this.#done('begun');
      await own.rememberUnsigned(reference);
      await this.#done('remembered');
    });
    await this.#done('signed');
    await own.record(made, new Date());
    await this.#done('recorded');
    await this.#send(wallet, made);
  }

  /** @returns the txids */
  async #showUnaccepted(beef: Beef): Promise<string[]> {
    const { own, trackers, log } = this.parts;
    const unaccepted = (await own.unaccepted()).map((transaction) => latest(transaction, beef));
    if (unaccepted.length === 0) return [];
    const accepted = await trackers.show(unaccepted);
    await this.#done('shown');
    for (const { txid } of unaccepted) {
      await own.accepted(txid, new Date());
      log.info({ txid, trackers: accepted }, 'advertisements of this host are accepted');
    }
    await this.#done('accepted');
    return unaccepted.map(({ txid }) => txid);
  }

  /** @returns the txids */
  async #renew(ads: readonly HeldAd[], beef: Beef): Promise<string[]> {
    const { own, trackers } = this.parts;
    const txids = [...new Set(ads.map(({ txid }) => txid))];
    for (const txid of txids) {
      const transaction = await own.find(txid);
      if (transaction === undefined) continue;
      await trackers.show([latest(transaction, beef)]);
    }
    return txids;
  }

  async #done(step: ReconcileStep): Promise<void> {
    await this.parts.onStep?.(step);
  }
}

/** The oldest advertisement for each that is wanted; any other is one too many. */
function keep(wanted: readonly HostAd[], held: readonly HeldAd[]): HeldAd[] {
  return wanted.flatMap((ad) => held.find((there) => sameAd(there.ad, ad)) ?? []);
}

/** As the wallet has it, by now perhaps with its merkle path, by which nothing else is needed. */
function latest(transaction: OwnTransaction, beef: Beef): OwnTransaction {
  const { txid } = transaction;
  return beef.findTxid(txid) === undefined ? transaction : { ...transaction, beef: atomic(beef, txid) };
}

function atomic(beef: Beef, txid: string): Buffer {
  return Buffer.from(beef.toBinaryAtomic(txid));
}

function textOf({ protocol, name, domain }: HostAd): string {
  return `${protocol} ${name} ${domain}`;
}
