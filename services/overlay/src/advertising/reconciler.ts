import type { Beef } from '@bsv/sdk';
import { RuleError } from '@messagebox/messages';
import type { Logger } from '@messagebox/shared';
import type { HeldLock, NamedLock } from '@messagebox/store';
import { toOutpointKey } from '@messagebox/transactions';
import { type AdWallet, RefusedByNetworkError, type UnspentAds, WalletLockedError } from './ad-wallet.js';
import { createHostAds, type HostAd, isSameAd, type OwnedAd } from './ads.js';
import type { OwnTransaction, OwnTransactionStore } from './own-transaction-store.js';
import type { Trackers } from './trackers.js';

export interface ReconcilerOptions {
  readonly lock: NamedLock;
  readonly ownTransactions: OwnTransactionStore;
  /** Opens the wallet on first use: a host that advertises nothing needs none. */
  readonly wallet: () => Promise<AdWallet>;
  /** Ensures that the wallet can pay for a transaction. */
  readonly fund: () => Promise<void>;
  readonly trackers: Pick<Trackers, 'announce' | 'findMissing'>;
  /** Submits to this host's own `tm_ship` and `tm_slap`. */
  readonly submit: (beef: Uint8Array) => Promise<void>;
  /** The origin to advertise; undefined: none. */
  readonly origin: string | undefined;
  readonly log: Logger;
  /** Called and awaited after each step. For tests, which interrupt a run there. */
  readonly onStep?: ((step: ReconcileStep) => Promise<void>) | undefined;
}

/** The steps of a run, in order. `begun` and `remembered` exist only when something is revoked. */
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

/** The result of a run: txids, and advertisements as `protocol name domain`. */
export type ReconcileResult = {
  readonly advertised: string[];
  readonly created: string[];
  readonly revoked: string[];
  /** Announced again because trackers did not know it. */
  readonly renewed: string[];
  readonly transactions: string[];
};

const EMPTY_RESULT: ReconcileResult = { advertised: [], created: [], revoked: [], renewed: [], transactions: [] };

/**
 * Makes the advertisements of this host (BRC-88) what they should be: creates missing ones and revokes superfluous ones, in
 * one transaction. It never advertises twice, even when it runs twice, in two workers at once, or after an interruption:
 *
 * 1. a lock in the database allows one run at a time;
 * 2. the wallet signs a transaction without sending it, and lists it from then on;
 * 3. the transaction is recorded, then sent to the network, to this host's own topics and to the trackers. It is done when
 *    a tracker has accepted it;
 * 4. each run first completes the last one. A signed transaction that was not recorded is found in the wallet and
 *    recorded. A recorded one that was not accepted is sent again. An unsigned one is aborted.
 */
export class Reconciler {
  constructor(private readonly options: ReconcilerOptions) {}

  /**
   * @param renewAll announce all advertisements to the trackers again, even those that they know
   * @throws {NotAcceptedError} and errors of the wallet or the network. The next run continues where this one has stopped
   */
  async reconcile(renewAll = false): Promise<ReconcileResult> {
    return await this.options.lock.withLock('overlay advertising', (lock) => this.#reconcile(lock, renewAll));
  }

  async #reconcile(lock: HeldLock, renewAll: boolean): Promise<ReconcileResult> {
    const { ownTransactions, origin, trackers } = this.options;
    await this.#reportStep('locked');
    const wanted = origin !== undefined && (await ownTransactions.isAdvertisingWanted()) ? createHostAds(origin) : [];
    if (wanted.length === 0 && !(await ownTransactions.hasWork())) return EMPTY_RESULT;

    const wallet = await this.options.wallet();
    await this.#recoverInterrupted(wallet);
    await this.#sendUnaccepted(wallet);
    const held = await this.#listUnspent(wallet);
    const kept = selectKept(wanted, held.ads);
    const create = wanted.filter((ad) => !kept.some((there) => isSameAd(there.ad, ad)));
    const revoke = held.ads.filter((there) => !kept.includes(there));
    if (create.length + revoke.length > 0) {
      await this.#createTransaction(wallet, lock, create, revoke, held.beef);
      await ownTransactions.replaceLive((await wallet.listUnspent()).ads, new Date());
    }
    await this.#submitKept(kept, held.beef);
    const shown = await this.#announceUnaccepted(held.beef);
    const settled = kept.filter(({ txid }) => !shown.includes(txid));
    const renew = renewAll ? settled : await trackers.findMissing(settled);
    return {
      advertised: wanted.map(describeAd),
      created: create.map(describeAd),
      revoked: revoke.map(({ ad }) => describeAd(ad)),
      renewed: renew.map(({ ad }) => describeAd(ad)),
      transactions: [...shown, ...(await this.#renew(renew, held.beef))],
    };
  }

  /** Aborts an unsigned transaction. Records signed ones that were not recorded, or aborts them when they are unknown. */
  async #recoverInterrupted(wallet: AdWallet): Promise<void> {
    const { ownTransactions, log } = this.options;
    const unsigned = await ownTransactions.getUnsigned();
    if (unsigned !== undefined) {
      await wallet.abort(unsigned);
      await ownTransactions.deleteUnsigned();
    }
    const held = await wallet.listUnspent();
    for (const txid of new Set(held.ads.map((ad) => ad.txid))) {
      const state = await ownTransactions.getState(txid);
      if (state === 'made' || state === 'accepted') continue;
      log.info({ txid }, 'a signed transaction was found that had not been recorded');
      const created = held.ads.filter((ad) => ad.txid === txid);
      await ownTransactions.record(
        { txid, beef: extractAtomicBeef(held.beef, txid), created, revoked: [] },
        new Date(),
      );
    }
    for (const txid of await wallet.listUnsent()) {
      // An unrecorded one only revokes, since it has no outputs in the wallet. It was sent nowhere, so it can be made again.
      if ((await ownTransactions.getState(txid)) !== 'made') await wallet.abort(txid);
    }
  }

  /** Sends to the network, then to the own topics. Trackers follow once all transactions of the run are known. */
  async #sendUnaccepted(wallet: AdWallet): Promise<void> {
    for (const transaction of await this.options.ownTransactions.listUnaccepted())
      await this.#send(wallet, transaction);
  }

  async #send(wallet: AdWallet, { txid, beef }: OwnTransaction): Promise<void> {
    const { ownTransactions } = this.options;
    try {
      await wallet.send(txid);
    } catch (error) {
      if (error instanceof RefusedByNetworkError) await ownTransactions.markRefused(txid, error.message);
      throw error;
    }
    await this.#reportStep('sent');
    await this.#submit(txid, beef);
    await this.#reportStep('submitted');
  }

  /**
   * Submits a transaction to this host's own topics. They can refuse it until it has a merkle path: they may hold a rival
   * that the network has dropped since, or the ancestors are too large (payments of strangers fund it). A refusal must not
   * stop the trackers and later transactions.
   */
  async #submit(txid: string, beef: Uint8Array): Promise<void> {
    try {
      await this.options.submit(beef);
    } catch (error) {
      if (!(error instanceof RuleError)) throw error;
      this.options.log.warn({ txid, reason: error.message }, 'the own topics refused an advertisement for now');
    }
  }

  /**
   * Submits all kept advertisements to the own topics again, which may have lost or refused them. By now they may have a
   * merkle path. For those that the topics hold, this costs one read.
   */
  async #submitKept(kept: readonly OwnedAd[], beef: Beef): Promise<void> {
    for (const txid of new Set(kept.map((ad) => ad.txid))) await this.#submit(txid, extractAtomicBeef(beef, txid));
  }

  /**
   * Lists the unspent advertisements in the wallet, and updates the stored list.
   *
   * @throws {WalletLockedError}
   */
  async #listUnspent(wallet: AdWallet): Promise<UnspentAds> {
    const { ownTransactions } = this.options;
    const held = await wallet.listUnspent();
    const there = new Set(held.ads.map(toOutpointKey));
    const missing = (await ownTransactions.listLive()).filter((ad) => !there.has(toOutpointKey(ad)));
    // Advertisements that are only locked must not be made again.
    if (missing.length > 0 && (await wallet.hasLocked(missing))) {
      throw new WalletLockedError(`An interrupted action of the wallet locks ${missing.length} advertisements.`);
    }
    await ownTransactions.replaceLive(held.ads, new Date());
    return held;
  }

  async #createTransaction(
    wallet: AdWallet,
    lock: HeldLock,
    create: readonly HostAd[],
    revoke: readonly OwnedAd[],
    beef: Beef,
  ): Promise<void> {
    const { ownTransactions, fund } = this.options;
    await fund();
    await lock.assertHeld();
    const made = await wallet.createTransaction(create, revoke, beef, async (reference) => {
      await this.#reportStep('begun');
      await ownTransactions.saveUnsigned(reference);
      await this.#reportStep('remembered');
    });
    await this.#reportStep('signed');
    await ownTransactions.record(made, new Date());
    await this.#reportStep('recorded');
    await this.#send(wallet, made);
  }

  /** @returns the txids */
  async #announceUnaccepted(beef: Beef): Promise<string[]> {
    const { ownTransactions, trackers, log } = this.options;
    const unaccepted = (await ownTransactions.listUnaccepted()).map((transaction) => withLatestBeef(transaction, beef));
    if (unaccepted.length === 0) return [];
    const accepted = await trackers.announce(unaccepted);
    await this.#reportStep('shown');
    for (const { txid } of unaccepted) {
      await ownTransactions.markAccepted(txid, new Date());
      log.info({ txid, trackers: accepted }, 'advertisements of this host were accepted');
    }
    await this.#reportStep('accepted');
    return unaccepted.map(({ txid }) => txid);
  }

  /** @returns the txids */
  async #renew(ads: readonly OwnedAd[], beef: Beef): Promise<string[]> {
    const { ownTransactions, trackers } = this.options;
    const txids = [...new Set(ads.map(({ txid }) => txid))];
    for (const txid of txids) {
      const transaction = await ownTransactions.find(txid);
      if (transaction === undefined) continue;
      await trackers.announce([withLatestBeef(transaction, beef)]);
    }
    return txids;
  }

  async #reportStep(step: ReconcileStep): Promise<void> {
    await this.options.onStep?.(step);
  }
}

/** Selects the oldest advertisement for each wanted one. All others are superfluous. */
function selectKept(wanted: readonly HostAd[], held: readonly OwnedAd[]): OwnedAd[] {
  return wanted.flatMap((ad) => held.find((there) => isSameAd(there.ad, ad)) ?? []);
}

/** The wallet's copy may have a merkle path by now, so no ancestors are needed. */
function withLatestBeef(transaction: OwnTransaction, beef: Beef): OwnTransaction {
  const { txid } = transaction;
  return beef.findTxid(txid) === undefined ? transaction : { ...transaction, beef: extractAtomicBeef(beef, txid) };
}

function extractAtomicBeef(beef: Beef, txid: string): Buffer {
  return Buffer.from(beef.toBinaryAtomic(txid));
}

function describeAd({ protocol, name, domain }: HostAd): string {
  return `${protocol} ${name} ${domain}`;
}
