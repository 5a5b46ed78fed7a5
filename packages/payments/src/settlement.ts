import {
  type DeliverPaidMessages,
  type DuePayment,
  RuleError,
  type UploadProcessor,
  uploadNamedError,
  uploadsDisabledError,
} from '@messagebox/messages';
import type { Semaphore } from '@messagebox/shared';
import {
  LockUnavailableError,
  MessageIdTakenError,
  type NamedLock,
  StoreUnavailableError,
  type TransactionHook,
  UploadUnavailableError,
} from '@messagebox/store';
import { expandDelivery } from './paid-delivery.js';
import { messageIdConflictError, paymentRejectedError, paymentReusedError } from './payment-errors.js';
import type { PaymentReceiver } from './payment-receiver.js';
import { PAYMENT_STATES } from './payment-states.js';
import {
  FinishedElsewhereError,
  type MessageKeys,
  type NewPayment,
  type PaymentRecord,
  type PaymentStore,
  type PendingPayment,
} from './payment-store.js';
import type { PaymentVerifier } from './payment-verifier.js';
import { type PreparedPayment, toMessageKeys } from './prepare-payment.js';
import { endHold } from './price-store.js';

export type PaymentStep = 'verified' | 'recorded' | 'received' | 'stored';

export interface SettlementOptions {
  readonly verifier: Pick<PaymentVerifier, 'report'>;
  readonly receiver: Pick<PaymentReceiver, 'receive'>;
  readonly records: PaymentStore;
  readonly exclusive: NamedLock;
  /** Undefined: no payment has its transaction in an upload. */
  readonly uploads?: Pick<UploadProcessor, 'read'> | undefined;
  /** Limits how many deliveries are expanded at the same time, over all settlements. */
  readonly expansions: Semaphore;
  /** Stores the messages of a payment. */
  readonly deliverPaid: DeliverPaidMessages;
  /** Called after each step, for tests that end the process there. */
  readonly onStep?: ((step: PaymentStep) => void) | undefined;
}

/**
 * Moves one payment at a time through its states (see {@link PAYMENT_STATES}): records it, gives it to the network and
 * the wallet, and stores its messages. Each step can be repeated. A lock per transaction keeps instances from doing the
 * same work twice; should a lock be lost, conditional updates of the record make one of them win.
 */
export class Settlement {
  constructor(private readonly options: SettlementOptions) {}

  /**
   * Records a payment, or finds its record, and settles it.
   *
   * @param prepare verifies the payment; called only if it has to be recorded
   * @throws {RuleError} when it is refused
   * @throws {StoreUnavailableError} also when another instance keeps the lock
   */
  settleDue(txid: string, due: DuePayment, prepare: () => Promise<PreparedPayment>): Promise<void> {
    return this.#withPaymentLock(txid, async () => {
      const pending = await this.#claim(txid, due, prepare);
      if (pending !== undefined) await this.#settle(pending);
    });
  }

  /**
   * Settles a payment that was left pending.
   *
   * @returns false when it is not pending any more
   * @throws as {@link settleDue}
   */
  settlePending(txid: string): Promise<boolean> {
    return this.#withPaymentLock(txid, async () => {
      const pending = await this.options.records.findPending(txid);
      if (pending === undefined) return false;
      await this.#settle(pending);
      return true;
    });
  }

  /** Stores the messages of a payment that is not recorded, because it pays nobody. */
  deliverUnrecorded(payment: NewPayment): Promise<void> {
    const { price } = payment.delivery;
    return this.#deliver(payment, async (runner, stored) => {
      if (price !== undefined) await endHold(runner, price, stored.length > 0 ? 'used' : 'paid', new Date());
    });
  }

  /** @returns undefined when it is settled already */
  async #claim(
    txid: string,
    due: DuePayment,
    prepare: () => Promise<PreparedPayment>,
  ): Promise<PendingPayment | undefined> {
    const { records } = this.options;
    // Begins again when another instance has changed the record in between, which takes a lost lock.
    for (;;) {
      const known = await records.find(txid);
      if (known !== undefined && known.sender !== due.sender) throw paymentReusedError();
      const action = known === undefined ? 'record' : findAction(known, toMessageKeys(due));
      if (action === 'success') return undefined;
      if (action === 'refuse') throw paymentReusedError();
      if (action === 'finish') return records.findPending(txid);
      if (action === 'finish-first') {
        await this.#settleForOtherMessages(txid);
        continue;
      }
      const { payment } = await prepare();
      const startedAt = new Date();
      const isRecorded =
        action === 'record'
          ? await records.insertPending(payment, startedAt)
          : await records.reopen(payment, startedAt);
      if (!isRecorded) continue;
      this.options.onStep?.('recorded');
      return { ...payment, startedAt };
    }
  }

  /** Only the outcome tells whether the payment can be used for other messages. */
  async #settleForOtherMessages(txid: string): Promise<void> {
    const pending = await this.options.records.findPending(txid);
    if (pending === undefined) return;
    try {
      await this.#settle(pending);
    } catch (error) {
      const isUnused = error instanceof RuleError && ['ERR_DUPLICATE_MESSAGE', 'ERR_UPLOAD_NAMED'].includes(error.code);
      if (!isUnused) throw error;
    }
  }

  async #settle(pending: PendingPayment): Promise<void> {
    const { receiver, records, verifier, onStep } = this.options;
    const { txid, sender } = pending;
    try {
      const outcome = await receiver.receive(await this.#withBeef(pending));
      verifier.report(sender, outcome === 'received' ? 'useful' : 'useless', 0);
      if (outcome !== 'received') {
        await records.end(pending, 'refused', outcome.refused, new Date());
        throw paymentRejectedError(outcome.refused);
      }
      onStep?.('received');
      await this.#storeMessages(pending);
      onStep?.('stored');
    } catch (error) {
      await records.touch(txid, new Date()).catch(() => undefined);
      throw error;
    }
  }

  /** A record has no transaction when an upload has it. */
  async #withBeef(pending: PendingPayment): Promise<PendingPayment> {
    const { beefR2Key } = pending.delivery;
    if (beefR2Key === undefined || pending.beef.length > 0) return pending;
    if (this.options.uploads === undefined) throw uploadsDisabledError();
    return { ...pending, beef: await this.options.uploads.read(beefR2Key, 'recovery') };
  }

  async #storeMessages(pending: PendingPayment): Promise<void> {
    const { records } = this.options;
    try {
      await this.#deliver(pending, (runner, stored) =>
        records.settle(runner, pending, stored.length > 0 ? 'done' : 'spare', new Date()),
      );
    } catch (error) {
      if (error instanceof StoreUnavailableError && error.cause instanceof FinishedElsewhereError) {
        return this.#assertSettledElsewhere(pending);
      }
      if (error instanceof UploadUnavailableError) {
        await records.end(pending, 'unused', 'an upload was taken', new Date());
        throw uploadNamedError();
      }
      if (!(error instanceof MessageIdTakenError)) throw error;
      await records.end(pending, 'unused', 'a message id was taken', new Date());
      throw messageIdConflictError();
    }
  }

  #deliver({ sender, beef, delivery }: NewPayment, withinTransaction: TransactionHook): Promise<void> {
    const { expansions, deliverPaid } = this.options;
    return expansions.run(() => deliverPaid(expandDelivery(sender, beef, delivery), withinTransaction));
  }

  /** After a lost lock, another instance has ended the payment, and may have begun it for other messages. */
  async #assertSettledElsewhere({ txid, messageKeys }: PendingPayment): Promise<void> {
    const known = await this.options.records.find(txid);
    if (known?.state === 'refused') throw paymentRejectedError(known.reason);
    if (known?.state === 'unused') throw messageIdConflictError();
    if (known?.state === 'taking') {
      throw new StoreUnavailableError(new Error(`Payment ${txid} is being settled by another instance.`));
    }
    if (known !== undefined && !isForMessages(known, messageKeys)) throw paymentReusedError();
  }

  async #withPaymentLock<T>(txid: string, work: () => Promise<T>): Promise<T> {
    try {
      return await this.options.exclusive.withLock(`payment ${txid}`, work);
    } catch (error) {
      throw error instanceof LockUnavailableError ? new StoreUnavailableError(error) : error;
    }
  }
}

/** How a request for these messages is handled when the payment has this record. */
export function findAction(known: PaymentRecord, messages: MessageKeys) {
  const { sameMessages, otherMessages } = PAYMENT_STATES[known.state];
  return isForMessages(known, messages) ? sameMessages : otherMessages;
}

function isForMessages(known: PaymentRecord, messages: MessageKeys): boolean {
  const recorded = new Set(known.messageKeys.map((key) => JSON.stringify(key)));
  return messages.every((key) => recorded.has(JSON.stringify(key)));
}
