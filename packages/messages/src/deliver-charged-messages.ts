import { BLOCKED, type NewMessage, type TransactionHook } from '@messagebox/store';
import type { Charges } from './charges.js';
import { type DeliverMessagesOptions, deliverMessages } from './deliver-messages.js';
import type { SendCommand } from './parse-send.js';
import type { DuePayment, PaymentProcessor } from './payment-processor.js';
import { getSendPrice, type PriceList } from './prices/price-list.js';
import { livePriceError, type ReceivedPrice, type RequestPayment } from './prices/request-payment.js';
import { QuotaExceededError } from './quotas/quota-limits.js';
import type { Reservation } from './quotas/storage-quotas.js';
import { type ReserveStorageOptions, reserveStorage, toStorageCharge } from './reserve-storage.js';
import { RuleError } from './rule-error.js';
import { sumFees } from './sum-fees.js';

/** The options of {@link deliverChargedMessages}. */
export interface DeliverChargedMessagesOptions extends DeliverMessagesOptions, ReserveStorageOptions {
  /** Undefined: payments are not accepted, so only free messages can be sent. */
  readonly payments?: PaymentProcessor | undefined;
  /** Undefined: requests have no price. */
  readonly prices?: PriceList | undefined;
}

type ChargedMessage = DuePayment['messages'][number] & {
  /** Whether the recipient has allowed the sender by name. */
  readonly isAllowed: boolean;
};

/**
 * Delivers a send that costs something, is blocked, or carries a payment, as far as it may be delivered.
 *
 * Messages that are stored already cost nothing: a client that repeats a request because it missed the response must
 * neither pay again nor learn that it has been blocked since. They are not given to the store either: one that is
 * acknowledged at the same time would be stored again, unpaid.
 *
 * @throws {RuleError} `ERR_DELIVERY_BLOCKED`, `ERR_MISSING_PAYMENT_TX`, `ERR_PAYMENT_NOT_SUPPORTED`, an error of the payment
 *   processor, or an error of the payment for the request's price
 * @throws {QuotaExceededError}, {MessageIdTakenError} nothing was paid
 * @throws {StoreUnavailableError}
 */
export async function deliverChargedMessages(
  options: DeliverChargedMessagesOptions,
  command: SendCommand,
  charges: Charges,
  requestPayment?: RequestPayment,
): Promise<void> {
  const charged = await toChargedMessages(options, command.messages, charges);
  const pending = charged.filter(({ isStored }) => !isStored);
  if (pending.length === 0) return;
  const { sender, payment, beefUpload, liveBody } = command;
  const price = options.prices === undefined ? 0 : getPrice(options.prices, command, pending, requestPayment);
  const payPrice = price === 0 ? undefined : createPricePayment(price, requestPayment);
  const blocked = findDeliveryBlockedError(pending);
  const due = {
    sender,
    payment,
    beefUpload,
    deliveryFee: charges.deliveryFee,
    body: liveBody,
    blocked,
    messages: charged,
  };
  // The request may be a repetition, whose payment was taken before the sender was blocked.
  const isSettled = async () => payment !== undefined && (await options.payments?.isSettled(due)) === true;
  if (blocked !== undefined && !(await isSettled())) throw blocked;
  const reservation = blocked === undefined ? await reserveUnlessSettled(isSettled, options, pending) : undefined;
  try {
    await deliverPending(options, due, pending, reservation, payPrice);
  } catch (error) {
    reservation?.release();
    // Another process has carried out this same request since, or the payment is used by another one.
    const conflict = await requestPayment?.findUseConflict(error);
    if (conflict === 'served') return;
    throw conflict ?? error;
  }
  reservation?.settle();
}

/** Messages whose payment was taken are delivered, even when a quota is exceeded by now. */
async function reserveUnlessSettled(
  isSettled: () => Promise<boolean>,
  options: DeliverChargedMessagesOptions,
  pending: readonly ChargedMessage[],
): Promise<Reservation | undefined> {
  try {
    return await reserveStorage(options, pending);
  } catch (error) {
    if (error instanceof QuotaExceededError && (await isSettled())) return undefined;
    throw error;
  }
}

async function deliverPending(
  options: DeliverChargedMessagesOptions,
  due: DuePayment,
  pending: readonly ChargedMessage[],
  reservation: Reservation | undefined,
  payPrice: (() => Promise<ReceivedPrice>) | undefined,
): Promise<void> {
  const { payment, deliveryFee, body: liveBody } = due;
  if (payment === undefined) {
    const isFree = deliveryFee === 0 && pending.every(({ fee }) => fee === 0);
    if (!isFree) throw missingPaymentError(deliveryFee, pending);
    const price = await payPrice?.();
    const delivery = { messages: pending.map(({ message }) => message), liveBody };
    return deliverMessages(options, delivery, price && createPriceHook(price));
  }
  if (options.payments === undefined) throw paymentNotSupportedError();
  const admit = async (bytes: readonly number[]) =>
    reservation?.replace(pending.map(({ message, isAllowed }, i) => toStorageCharge(message, isAllowed, bytes[i])));
  const holdPrice = payPrice && (async () => (await payPrice()).hold());
  await options.payments.deliver({ ...due, admit, holdPrice }, (delivery, withinTransaction) =>
    deliverMessages(options, delivery, withinTransaction),
  );
}

/** The price of the messages that are not stored yet. */
function getPrice(
  prices: PriceList,
  { liveBody }: SendCommand,
  pending: readonly ChargedMessage[],
  requestPayment: RequestPayment | undefined,
): number {
  const priced = prices.exemptsAllowed ? pending.filter(({ isAllowed }) => !isAllowed) : pending;
  return getSendPrice(prices, {
    recipients: priced.length,
    requestBytes: requestPayment?.requestBytes ?? Buffer.byteLength(liveBody),
    storedBytes: priced.reduce(
      (sum, { message: { body, upload } }) => sum + Buffer.byteLength(body) + (upload?.bytes ?? 0),
      0,
    ),
  });
}

function createPricePayment(satoshis: number, requestPayment: RequestPayment | undefined) {
  return async (): Promise<ReceivedPrice> => {
    if (requestPayment === undefined) throw livePriceError(satoshis);
    return requestPayment.receive(satoshis);
  };
}

/** When all messages turn out to be stored already, the payment is left for another request. */
function createPriceHook(price: ReceivedPrice): TransactionHook {
  return async (runner, stored) => {
    if (stored.length > 0) await price.use(runner);
  };
}

/** The refusal of a payment that can't be processed. To store the message alone would lose the recipient's money. */
export function paymentNotSupportedError(): RuleError {
  return new RuleError('ERR_PAYMENT_NOT_SUPPORTED', 'This server takes no payments with messages.');
}

/** Adds the fees to the messages, and drops repetitions within the batch. */
async function toChargedMessages(
  { store }: DeliverChargedMessagesOptions,
  messages: readonly NewMessage[],
  { recipientFees, allowsSender }: Charges,
): Promise<ChargedMessage[]> {
  const stored = await store.areStored(messages);
  const seen = new Set<string>();
  return messages.flatMap((message, i) => {
    const key = JSON.stringify([message.recipient, message.messageId]);
    if (seen.has(key)) return [];
    seen.add(key);
    const isStored = stored[i] === true;
    const fee = isStored ? 0 : (recipientFees[i] as number);
    return [{ message, fee, isStored, isAllowed: allowsSender[i] === true }];
  });
}

function findDeliveryBlockedError(pending: readonly ChargedMessage[]): RuleError | undefined {
  const blocked = pending.filter(({ fee }) => fee === BLOCKED).map(({ message }) => message.recipient);
  if (blocked.length === 0) return undefined;
  const blockedRecipients = [...new Set(blocked)];
  const who = blockedRecipients.length === 1 ? 'A recipient does' : `${blockedRecipients.length} recipients do`;
  const description = `${who} not take messages from you in this box. Nothing was sent to anybody.`;
  return new RuleError('ERR_DELIVERY_BLOCKED', description, 403, { blockedRecipients });
}

function missingPaymentError(deliveryFee: number, pending: readonly ChargedMessage[]): RuleError {
  const recipients = sumFees(pending.map(({ fee }) => fee));
  return new RuleError(
    'ERR_MISSING_PAYMENT_TX',
    `This costs ${deliveryFee} satoshis for the delivery and ${recipients} for recipients. Send a payment along.`,
  );
}
