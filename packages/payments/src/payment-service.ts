import {
  type DeliverPaidMessages,
  type DuePayment,
  type NormaliseKey,
  type PaymentProcessor,
  RuleError,
  uploadsDisabledError,
} from '@messagebox/messages';
import { KeyedCounter, type Logger, Semaphore } from '@messagebox/shared';
import { type ParsedPayment, parsePayment } from './parse-payment.js';
import { paymentReusedError, tooManyRetriesError } from './payment-errors.js';
import type { PaymentReceiver } from './payment-receiver.js';
import type { PaymentStore } from './payment-store.js';
import type { UnverifiedPayment } from './payment-verifier.js';
import { type PreparePaymentOptions, preparePayment, toMessageKeys } from './prepare-payment.js';
import { resumePendingPayments } from './recovery.js';
import { findAction, Settlement, type SettlementOptions } from './settlement.js';

export interface PaymentServiceOptions extends PreparePaymentOptions, Pick<SettlementOptions, 'exclusive' | 'onStep'> {
  readonly receiver: PaymentReceiver;
  readonly records: PaymentStore;
  readonly normaliseKey: NormaliseKey;
  readonly log: Logger;
}

/** How many deliveries are expanded for the store at once: each may be many times as large as its request. */
const MAX_CONCURRENT_EXPANSIONS = 4;
/** Transactions in uploads that are in memory at once. */
const MAX_CONCURRENT_UPLOADS = 2;
/** Retries are not verified again, and each may ask the network once more. */
const MAX_RETRIES_PER_SENDER = 16;

/**
 * Takes payments for messages, so that neither is lost without the other:
 *
 * 1. The payment is verified, and recorded together with the messages.
 * 2. Its transaction goes to the network, and the server's output to the server's wallet. Both can be repeated.
 * 3. The messages are stored, in one database transaction with the note that the payment is settled.
 *
 * After an interruption, the client's retry or {@link PaymentService.resumePending} continues from the record. A
 * transaction pays once: for other messages it is refused for ever, unless none of its own could be stored.
 */
export class PaymentService implements PaymentProcessor {
  readonly #expansions = new Semaphore(MAX_CONCURRENT_EXPANSIONS);
  readonly #uploads = new Semaphore(MAX_CONCURRENT_UPLOADS);
  /** Retries in progress, by sender. */
  readonly #retries = new KeyedCounter();

  constructor(private readonly options: PaymentServiceOptions) {}

  deliver(due: DuePayment, deliverPaid: DeliverPaidMessages): Promise<void> {
    const deliver = () => this.#deliver(due, deliverPaid);
    return due.beefUpload === undefined ? deliver() : this.#uploads.run(deliver);
  }

  isSettled(due: DuePayment): Promise<boolean> {
    const isSettled = () => this.#isSettled(due);
    return due.beefUpload === undefined ? isSettled() : this.#uploads.run(isSettled);
  }

  async #deliver(due: DuePayment, deliverPaid: DeliverPaidMessages): Promise<void> {
    const { verifier, records, onStep } = this.options;
    const payment = await this.#parse(due);
    const unverified = await verifier.parse(payment.tx, due.beefUpload?.bytes);
    const prepare = async () => {
      const prepared = await preparePayment(this.options, due, payment, unverified);
      onStep?.('verified');
      return prepared;
    };
    const known = await records.find(unverified.txid);
    // Refused before the lock is taken: a stranger must not make the sender wait.
    if (known !== undefined && known.sender !== due.sender) throw paymentReusedError();
    // A recorded payment is not verified again: the amounts that were due when it was recorded still apply.
    const prepared = known === undefined ? await prepare() : undefined;
    const settlement = this.#createSettlement(deliverPaid);
    if (prepared !== undefined && !prepared.pays) return settlement.deliverUnrecorded(prepared.payment);
    const settle = () => settlement.settleDue(unverified.txid, due, async () => prepared ?? (await prepare()));
    await (known === undefined ? settle() : this.#withRetryLimit(due.sender, settle));
  }

  async #isSettled(due: DuePayment): Promise<boolean> {
    const { verifier, records } = this.options;
    let unverified: UnverifiedPayment;
    try {
      unverified = await verifier.parse((await this.#parse(due)).tx, due.beefUpload?.bytes);
    } catch (error) {
      if (error instanceof RuleError) return false;
      throw error;
    }
    const known = await records.find(unverified.txid);
    if (known === undefined || known.sender !== due.sender) return false;
    return ['finish', 'success'].includes(findAction(known, toMessageKeys(due)));
  }

  /** See {@link resumePendingPayments}. */
  resumePending(deliverPaid: DeliverPaidMessages, idleMs: number): Promise<number> {
    const { records, log } = this.options;
    return resumePendingPayments({ records, settlement: this.#createSettlement(deliverPaid), log }, idleMs);
  }

  /** How many payments are recorded and not settled. @throws {StoreUnavailableError} */
  countPending(): Promise<number> {
    return this.options.records.countPending();
  }

  /** Reads a transaction that was uploaded, once the rest of the payment is well-formed. */
  async #parse({ payment, beefUpload }: DuePayment): Promise<ParsedPayment> {
    const { uploads, normaliseKey } = this.options;
    if (beefUpload === undefined) return parsePayment(payment, normaliseKey);
    if (uploads === undefined) throw uploadsDisabledError();
    const described = parsePayment(payment, normaliseKey, true);
    return { ...described, tx: await uploads.read(beefUpload.uploadId, 'request') };
  }

  #createSettlement(deliverPaid: DeliverPaidMessages): Settlement {
    return new Settlement({ ...this.options, expansions: this.#expansions, deliverPaid });
  }

  async #withRetryLimit(sender: string, work: () => Promise<void>): Promise<void> {
    if (this.#retries.get(sender) >= MAX_RETRIES_PER_SENDER) throw tooManyRetriesError();
    const decrement = this.#retries.increment(sender);
    try {
      await work();
    } finally {
      decrement();
    }
  }
}
