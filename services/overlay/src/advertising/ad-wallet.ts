import {
  type AtomicBEEF,
  Beef,
  type CreateActionInput,
  type CreateActionOutput,
  PushDrop,
  type SignActionSpend,
  Transaction,
  type WalletInterface,
} from '@bsv/sdk';
import { type Outpoint, outpointKey } from '@messagebox/wallet';
import { decodeServiceAd, SERVICE_PROTOCOLS, serviceAdToken } from '../topics/service-ad.js';
import type { HeldAd, HostAd } from './ads.js';
import type { MadeTransaction } from './own-transactions.js';

const BASKET = 'messagebox host advertisements';
const LABEL = 'messagebox host advertisements';
/** A DER signature with its sighash byte, pushed. */
const UNLOCKING_BYTES = 73;
/** More than a host can have by anything but a fault; the rest is found when these are gone. */
const MOST_HELD = 1_000;
/** As many as a wallet lists. A host makes a transaction when its address changes. */
const MOST_ACTIONS = 10_000;

export interface HeldAds {
  readonly ads: readonly HeldAd[];
  /** Everything that is needed to spend them or to show them. */
  readonly beef: Beef;
}

/** An interrupted action has them, and only the wallet can give it up. It does so by itself, within minutes. */
export class HeldBackError extends Error {
  override readonly name = 'HeldBackError';
}

/** The network will never take the transaction. */
export class RefusedByNetworkError extends Error {
  override readonly name = 'RefusedByNetworkError';
}

/**
 * This host's advertisements in the server's wallet. Nothing made here is sent by itself: a transaction is signed,
 * written down by the caller, and sent then.
 */
export class AdWallet {
  readonly #tokens: PushDrop;

  constructor(private readonly wallet: WalletInterface) {
    this.#tokens = new PushDrop(wallet);
  }

  /** The unspent advertisements, oldest first. */
  async held(): Promise<HeldAds> {
    const listed = await this.wallet.listOutputs({ basket: BASKET, include: 'entire transactions', limit: MOST_HELD });
    const beef = listed.BEEF === undefined ? new Beef() : Beef.fromBinary(listed.BEEF);
    const ads = listed.outputs.map(({ outpoint }): HeldAd => {
      const [txid = '', index = ''] = outpoint.split('.');
      const outputIndex = Number(index);
      const script = beef.findTxid(txid)?.tx?.outputs[outputIndex]?.lockingScript;
      if (script === undefined) throw new Error(`The wallet has no transaction for its output ${outpoint}.`);
      const ad = decodeServiceAd(script.toUint8Array());
      if (ad === undefined) throw new Error(`The wallet's output ${outpoint} is no advertisement.`);
      return { txid, outputIndex, ad };
    });
    return { ads, beef };
  }

  /**
   * Signs one transaction that creates and revokes, and sends nothing.
   *
   * @param onReference is told the wallet's reference before anything is signed, for {@link abort}
   */
  async make(
    create: readonly HostAd[],
    revoke: readonly HeldAd[],
    beef: Beef,
    onReference: (reference: string) => Promise<void>,
  ): Promise<MadeTransaction> {
    const outputs = await Promise.all(create.map((ad) => this.#output(ad)));
    const made = await this.wallet.createAction({
      description: 'Host advertisements of this server',
      labels: [LABEL],
      ...(revoke.length === 0 ? {} : { inputBEEF: beef.toBinary(), inputs: revoke.map(inputOf) }),
      ...(outputs.length === 0 ? {} : { outputs }),
      options: { noSend: true, randomizeOutputs: false, acceptDelayedBroadcast: false },
    });
    const tx =
      made.signableTransaction === undefined
        ? made.tx
        : await this.#sign(made.signableTransaction, revoke, onReference);
    if (tx === undefined) throw new Error('The wallet has made no transaction.');
    const txid = Transaction.fromAtomicBEEF(tx).id('hex');
    return {
      txid,
      beef: Buffer.from(tx),
      created: create.map((ad, outputIndex) => ({ txid, outputIndex, ad })),
      revoked: revoke,
    };
  }

  /** Transactions that were signed and never sent. */
  async unsent(): Promise<string[]> {
    const { actions } = await this.wallet.listActions({ labels: [LABEL], limit: MOST_ACTIONS });
    return actions.flatMap(({ status, txid }) => (status === 'nosend' ? [txid] : []));
  }

  /**
   * Whether the wallet holds any of these back for a transaction that was begun and neither signed nor given up.
   *
   * @param ads that it does not list any more
   */
  async holdsBack(ads: readonly Outpoint[]): Promise<boolean> {
    const lost = new Set(ads.map(outpointKey));
    const { actions } = await this.wallet.listActions({ labels: [LABEL], includeInputs: true, limit: MOST_ACTIONS });
    return actions.some(
      ({ status, inputs = [] }) =>
        status === 'unsigned' && inputs.some(({ sourceOutpoint }) => lost.has(sourceOutpoint)),
    );
  }

  /**
   * Gives up what was being made when the process ended.
   *
   * @param reference of the wallet, or a txid. Whether there still is such a thing doesn't matter
   */
  async abort(reference: string): Promise<void> {
    try {
      await this.wallet.abortAction({ reference });
    } catch (error) {
      // It says so of what it doesn't know and of what it has given up already. What is left otherwise is still there.
      if (!(error instanceof Error) || error.name !== 'WERR_INVALID_PARAMETER') throw error;
    }
  }

  /**
   * Hands a signed transaction to the network; again does no harm.
   *
   * @throws {RefusedByNetworkError}, and anything else for what may go well another time
   */
  async send(txid: string): Promise<void> {
    try {
      const { sendWithResults } = await this.wallet.createAction({
        description: 'Send host advertisements',
        options: { sendWith: [txid], acceptDelayedBroadcast: false },
      });
      const result = sendWithResults?.find((sent) => sent.txid === txid);
      if (result?.status === 'failed') {
        // The same is said when the wallet's storage could not be read.
        if ((await this.unsent()).includes(txid)) throw new Error(`The wallet could not send transaction ${txid}.`);
        // The wallet has given it up, or the network has refused it before.
        throw new RefusedByNetworkError(`Transaction ${txid} can't be sent any more.`);
      }
    } catch (error) {
      const status = reviewStatus(error, txid);
      if (status === 'doubleSpend' || status === 'invalidTx') {
        throw new RefusedByNetworkError(`The network refuses transaction ${txid}: ${status}.`, { cause: error });
      }
      throw error;
    }
  }

  async #output(ad: HostAd): Promise<CreateActionOutput> {
    const script = await serviceAdToken(this.wallet, ad);
    return {
      satoshis: 1,
      lockingScript: script.toHex(),
      basket: BASKET,
      tags: [ad.protocol.toLowerCase(), ad.name],
      outputDescription: `${ad.protocol} advertisement of ${ad.name}`,
    };
  }

  async #sign(
    signable: { tx: AtomicBEEF; reference: string },
    revoke: readonly HeldAd[],
    onReference: (reference: string) => Promise<void>,
  ): Promise<AtomicBEEF | undefined> {
    await onReference(signable.reference);
    const tx = Transaction.fromAtomicBEEF(signable.tx);
    const spends: Record<number, SignActionSpend> = {};
    for (const [index, { ad }] of revoke.entries()) {
      const { securityLevel, protocol } = SERVICE_PROTOCOLS[ad.protocol];
      const script = await this.#tokens.unlock([securityLevel, protocol], '1', 'anyone').sign(tx, index);
      spends[index] = { unlockingScript: script.toHex() };
    }
    const signed = await this.wallet.signAction({
      reference: signable.reference,
      spends,
      options: { noSend: true, acceptDelayedBroadcast: false },
    });
    return signed.tx;
  }
}

function inputOf({ txid, outputIndex, ad }: HeldAd): CreateActionInput {
  return {
    outpoint: `${txid}.${outputIndex}`,
    unlockingScriptLength: UNLOCKING_BYTES,
    inputDescription: `${ad.protocol} advertisement to revoke`,
  };
}

/** What the toolbox says of a transaction in the error by which it reports that sending it went wrong. */
function reviewStatus(error: unknown, txid: string): string | undefined {
  if (typeof error !== 'object' || error === null || !('reviewActionResults' in error)) return undefined;
  const results = error.reviewActionResults;
  if (!Array.isArray(results)) return undefined;
  const found: unknown = results.find((result: { txid?: unknown }) => result.txid === txid);
  return typeof found === 'object' && found !== null && 'status' in found ? String(found.status) : undefined;
}
