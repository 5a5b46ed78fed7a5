import type { Beef } from '@bsv/sdk';
import type { Exclusive, Logger } from '@messagebox/shared';
import { type AdWallet, RefusedByNetworkError } from './ad-wallet.js';
import { adsOf, type HeldAd, type HostAd, sameAd } from './ads.js';
import type { OwnTransaction, OwnTransactions } from './own-transactions.js';
import type { Trackers } from './trackers.js';

export interface ReconcileParts {
  readonly exclusive: Exclusive;
  readonly own: OwnTransactions;
  /** Opened on the first use only: a host that advertises nothing needs no wallet. */
  readonly wallet: () => Promise<AdWallet>;
  readonly trackers: Trackers;
  /** Submits to this host's own `tm_ship` and `tm_slap`. */
  readonly submit: (beef: Uint8Array) => Promise<void>;
  /** The origin to advertise. Undefined: none. */
  readonly origin: string | undefined;
  readonly log: Logger;
}

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
    return await this.parts.exclusive.run('overlay advertising', () => this.#reconcile(renewAll));
  }

  async #reconcile(renewAll: boolean): Promise<Reconciliation> {
    const { own, origin } = this.parts;
    const wanted = origin !== undefined && (await own.advertisingWanted()) ? adsOf(origin) : [];
    if (wanted.length === 0 && !(await own.anything())) return NOTHING;

    const wallet = await this.parts.wallet();
    const finished = await this.#finish(wallet);
    const held = await wallet.held();
    const kept = keep(wanted, held.ads);
    const create = wanted.filter((ad) => !kept.some((there) => sameAd(there.ad, ad)));
    const revoke = held.ads.filter((there) => !kept.includes(there));

    const made = await this.#make(wallet, create, revoke, held.beef);
    const missing = renewAll ? kept : await this.parts.trackers.missing(kept);
    const renewed = await this.#renew(missing);
    if (made !== undefined) await own.mirror((await wallet.held()).ads, new Date());
    return {
      advertised: wanted.map(textOf),
      created: create.map(textOf),
      revoked: revoke.map(({ ad }) => textOf(ad)),
      renewed: missing.map(({ ad }) => textOf(ad)),
      transactions: [...finished, ...(made === undefined ? [] : [made]), ...renewed],
    };
  }

  /** @returns the txids of what an earlier run had left */
  async #finish(wallet: AdWallet): Promise<string[]> {
    const { own, log } = this.parts;
    const unsigned = await own.unsigned();
    if (unsigned !== undefined) {
      await wallet.abort(unsigned);
      await own.forgetUnsigned();
    }
    const held = await wallet.held();
    for (const txid of new Set(held.ads.map((ad) => ad.txid))) {
      if ((await own.find(txid)) !== undefined) continue;
      log.info({ txid }, 'a signed transaction was found that had not been written down');
      const created = held.ads.filter((ad) => ad.txid === txid);
      await own.record({ txid, beef: atomic(held.beef, txid), created, revoked: [] }, new Date());
    }
    for (const txid of await wallet.unsent()) {
      // It only revokes, so nothing in the wallet shows it; nobody was told of it, so it can be made again.
      if ((await own.find(txid)) === undefined) await wallet.abort(txid);
    }
    await own.mirror(held.ads, new Date());
    const unaccepted = await own.unaccepted();
    for (const transaction of unaccepted) await this.#deliver(wallet, transaction, held.ads);
    return unaccepted.map(({ txid }) => txid);
  }

  async #make(
    wallet: AdWallet,
    create: readonly HostAd[],
    revoke: readonly HeldAd[],
    beef: Beef,
  ): Promise<string | undefined> {
    if (create.length + revoke.length === 0) return undefined;
    const { own } = this.parts;
    const made = await wallet.make(create, revoke, beef, (reference) => own.rememberUnsigned(reference));
    await own.record(made, new Date());
    await this.#deliver(wallet, made, made.created);
    return made.txid;
  }

  async #deliver(wallet: AdWallet, { txid, beef }: OwnTransaction, ads: readonly HeldAd[]): Promise<void> {
    const { own, submit, trackers, log } = this.parts;
    try {
      await wallet.send(txid);
    } catch (error) {
      if (error instanceof RefusedByNetworkError) await own.refused(txid, error.message);
      throw error;
    }
    await submit(beef);
    const created = ads.filter((ad) => ad.txid === txid);
    const accepted = await trackers.show(beef, created);
    await own.accepted(txid, new Date());
    log.info({ txid, trackers: accepted }, 'advertisements of this host are accepted');
  }

  async #renew(ads: readonly HeldAd[]): Promise<string[]> {
    const txids = [...new Set(ads.map(({ txid }) => txid))];
    for (const txid of txids) {
      const transaction = await this.parts.own.find(txid);
      if (transaction === undefined) continue;
      await this.parts.submit(transaction.beef);
      await this.parts.trackers.show(
        transaction.beef,
        ads.filter((ad) => ad.txid === txid),
      );
    }
    return txids;
  }
}

/** The oldest advertisement for each that is wanted; any other is one too many. */
function keep(wanted: readonly HostAd[], held: readonly HeldAd[]): HeldAd[] {
  return wanted.flatMap((ad) => held.find((there) => sameAd(there.ad, ad)) ?? []);
}

function atomic(beef: Beef, txid: string): Buffer {
  return Buffer.from(beef.toBinaryAtomic(txid));
}

function textOf({ protocol, name, domain }: HostAd): string {
  return `${protocol} ${name} ${domain}`;
}
