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
import { type Outpoint, toOutpointKey } from '@messagebox/transactions';
import { createServiceAdScript, decodeServiceAd, SERVICE_PROTOCOLS } from '../topics/service-ad.js';
import type { HostAd, OwnedAd } from './ads.js';
import type { SignedTransaction } from './own-transaction-store.js';

const BASKET = 'messagebox host advertisements';
const LABEL = 'messagebox host advertisements';
/** A push of a DER signature with its sighash byte. */
const UNLOCKING_BYTES = 73;
/** More than a host has without a fault. Further ones are found once these are gone. */
const MAX_OWN_ADS = 1_000;
/** The most that a wallet lists. A host makes one transaction for each change of its address. */
const MAX_ACTIONS = 10_000;

export interface UnspentAds {
  readonly ads: readonly OwnedAd[];
  /** The transactions that are needed to spend or announce them. */
  readonly beef: Beef;
}

/** An interrupted action of the wallet locks the outputs. The wallet aborts it by itself, within minutes. */
export class WalletLockedError extends Error {
  override readonly name = 'WalletLockedError';
}

/** The network will never accept the transaction. */
export class RefusedByNetworkError extends Error {
  override readonly name = 'RefusedByNetworkError';
}

/**
 * This host's advertisements in the server's wallet. Nothing is sent implicitly: the caller signs a transaction, records
 * it, and sends it then.
 */
export class AdWallet {
  readonly #tokens: PushDrop;

  constructor(private readonly wallet: WalletInterface) {
    this.#tokens = new PushDrop(wallet);
  }

  /** Lists the unspent advertisements, oldest first. */
  async listUnspent(): Promise<UnspentAds> {
    const listed = await this.wallet.listOutputs({
      basket: BASKET,
      include: 'entire transactions',
      limit: MAX_OWN_ADS,
    });
    const beef = listed.BEEF === undefined ? new Beef() : Beef.fromBinary(listed.BEEF);
    const ads = listed.outputs.map(({ outpoint }): OwnedAd => {
      const [txid = '', index = ''] = outpoint.split('.');
      const outputIndex = Number(index);
      const script = beef.findTxid(txid)?.tx?.outputs[outputIndex]?.lockingScript;
      if (script === undefined) throw new Error(`The wallet has no transaction for its output ${outpoint}.`);
      const ad = decodeServiceAd(script.toUint8Array());
      if (ad === undefined) throw new Error(`The wallet's output ${outpoint} is not an advertisement.`);
      return { txid, outputIndex, ad };
    });
    return { ads, beef };
  }

  /**
   * Signs one transaction that creates and revokes advertisements, without sending it.
   *
   * @param onReference called with the wallet's reference for {@link abort}, before the transaction is signed
   */
  async createTransaction(
    create: readonly HostAd[],
    revoke: readonly OwnedAd[],
    beef: Beef,
    onReference: (reference: string) => Promise<void>,
  ): Promise<SignedTransaction> {
    const outputs = await Promise.all(create.map((ad) => this.#createOutput(ad)));
    const made = await this.wallet.createAction({
      description: 'Host advertisements of this server',
      labels: [LABEL],
      ...(revoke.length === 0 ? {} : { inputBEEF: beef.toBinary(), inputs: revoke.map(toInput) }),
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

  /** Lists the txids of transactions that were signed and never sent. */
  async listUnsent(): Promise<string[]> {
    const { actions } = await this.wallet.listActions({ labels: [LABEL], limit: MAX_ACTIONS });
    return actions.flatMap(({ status, txid }) => (status === 'nosend' ? [txid] : []));
  }

  /**
   * Whether a transaction that was begun, and neither signed nor aborted, locks any of the outputs.
   *
   * @param ads advertisements that the wallet does not list any more
   */
  async hasLocked(ads: readonly Outpoint[]): Promise<boolean> {
    const missing = new Set(ads.map(toOutpointKey));
    const { actions } = await this.wallet.listActions({ labels: [LABEL], includeInputs: true, limit: MAX_ACTIONS });
    return actions.some(
      ({ status, inputs = [] }) =>
        status === 'unsigned' && inputs.some(({ sourceOutpoint }) => missing.has(sourceOutpoint)),
    );
  }

  /**
   * Aborts an action that was interrupted. Does nothing when the wallet does not know it.
   *
   * @param reference the wallet's reference, or a txid
   */
  async abort(reference: string): Promise<void> {
    try {
      await this.wallet.abortAction({ reference });
    } catch (error) {
      // The wallet throws this for an action that it does not know, or has aborted already.
      if (!(error instanceof Error) || error.name !== 'WERR_INVALID_PARAMETER') throw error;
    }
  }

  /**
   * Sends a signed transaction to the network. Can be repeated.
   *
   * @throws {RefusedByNetworkError}, and other errors when the call can be retried
   */
  async send(txid: string): Promise<void> {
    try {
      const { sendWithResults } = await this.wallet.createAction({
        description: 'Send host advertisements',
        options: { sendWith: [txid], acceptDelayedBroadcast: false },
      });
      const result = sendWithResults?.find((sent) => sent.txid === txid);
      if (result?.status === 'failed') {
        // The wallet reports the same status when it could not read its storage.
        if ((await this.listUnsent()).includes(txid)) throw new Error(`The wallet could not send transaction ${txid}.`);
        // The wallet has aborted the transaction, or the network has refused it before.
        throw new RefusedByNetworkError(`Transaction ${txid} cannot be sent any more.`);
      }
    } catch (error) {
      const status = findReviewStatus(error, txid);
      if (status === 'doubleSpend' || status === 'invalidTx') {
        throw new RefusedByNetworkError(`The network has refused transaction ${txid}: ${status}.`, { cause: error });
      }
      throw error;
    }
  }

  async #createOutput(ad: HostAd): Promise<CreateActionOutput> {
    const script = await createServiceAdScript(this.wallet, ad);
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
    revoke: readonly OwnedAd[],
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

function toInput({ txid, outputIndex, ad }: OwnedAd): CreateActionInput {
  return {
    outpoint: `${txid}.${outputIndex}`,
    unlockingScriptLength: UNLOCKING_BYTES,
    inputDescription: `${ad.protocol} advertisement to revoke`,
  };
}

/** Finds the status of a transaction in the error that the toolbox throws when sending has failed. */
function findReviewStatus(error: unknown, txid: string): string | undefined {
  if (typeof error !== 'object' || error === null || !('reviewActionResults' in error)) return undefined;
  const results = error.reviewActionResults;
  if (!Array.isArray(results)) return undefined;
  const found: unknown = results.find((result: { txid?: unknown }) => result.txid === txid);
  return typeof found === 'object' && found !== null && 'status' in found ? String(found.status) : undefined;
}
