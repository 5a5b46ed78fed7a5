import { QuotaExceededError, type Reservation } from '../quotas/index.js';
import { BLOCKED, type NewMessage } from '../store/index.js';
import type { Charges } from './charges.js';
import { type DeliverParts, deliver } from './deliver.js';
import type { SendCommand } from './parse-send.js';
import type { DuePayment, PaymentTaker } from './payment.js';
import { RuleError } from './rule-error.js';
import { chargeOf, reserve, type StorageParts } from './storage.js';
import { total } from './total.js';

export interface SettleParts extends DeliverParts, StorageParts {
  /** Undefined: no payment is taken, so nothing that costs something can be sent. */
  readonly payments?: PaymentTaker | undefined;
}

type Asked = DuePayment['messages'][number] & {
  /** The recipient has allowed the sender by name. */
  readonly isAllowed: boolean;
};

/**
 * For a send that somebody charges for or has blocked, or that brings a payment: delivers only what may be delivered.
 *
 * Messages that are there already cost nothing: a client that repeats a request, because it missed the answer, must
 * neither pay again nor be told that it is blocked by now. They are not handed to the store either, which would store,
 * unpaid, one that is acknowledged at this very moment.
 *
 * @throws {RuleError} `ERR_DELIVERY_BLOCKED`, `ERR_MISSING_PAYMENT_TX`, `ERR_PAYMENT_NOT_SUPPORTED`, or the taker's own
 * @throws {QuotaExceededError}, {MessageIdTakenError} before anything was paid
 * @throws {StoreUnavailableError}
 */
export async function settle(parts: SettleParts, command: SendCommand, charges: Charges): Promise<void> {
  const asked = await lookUp(parts, command.messages, charges);
  const pending = asked.filter(({ isStored }) => !isStored);
  if (pending.length === 0) return;
  const { sender, payment, liveBody } = command;
  const blocked = refusalOf(pending);
  const due = { sender, payment, deliveryFee: charges.deliveryFee, body: liveBody, blocked, messages: asked };
  // It may be the repeat of a request by which the payment was taken before the sender was blocked.
  const isTaken = async () => payment !== undefined && (await parts.payments?.hasTaken(due)) === true;
  if (blocked !== undefined && !(await isTaken())) throw blocked;
  const reservation = blocked === undefined ? await reserveUnless(isTaken, parts, pending) : undefined;
  try {
    await take(parts, due, pending, reservation);
  } catch (error) {
    reservation?.release();
    throw error;
  }
  reservation?.settle();
}

/** What was paid for is delivered, however much there is by now. */
async function reserveUnless(
  isTaken: () => Promise<boolean>,
  parts: SettleParts,
  pending: readonly Asked[],
): Promise<Reservation | undefined> {
  try {
    return await reserve(parts, pending);
  } catch (error) {
    if (error instanceof QuotaExceededError && (await isTaken())) return undefined;
    throw error;
  }
}

async function take(
  parts: SettleParts,
  due: DuePayment,
  pending: readonly Asked[],
  reservation: Reservation | undefined,
): Promise<void> {
  const { payment, deliveryFee, body: liveBody } = due;
  if (payment === undefined) {
    const isFree = deliveryFee === 0 && pending.every(({ fee }) => fee === 0);
    if (!isFree) throw missingPayment(deliveryFee, pending);
    return deliver(parts, { messages: pending.map(({ message }) => message), liveBody });
  }
  if (parts.payments === undefined) throw paymentNotSupported();
  const admit = async (bytes: readonly number[]) =>
    reservation?.replace(pending.map(({ message, isAllowed }, i) => chargeOf(message, isAllowed, bytes[i])));
  await parts.payments.deliver({ ...due, admit }, (delivery, alongside) => deliver(parts, delivery, alongside));
}

/** Storing the message and dropping its payment would take the money from the recipient without a word. */
export function paymentNotSupported(): RuleError {
  return new RuleError('ERR_PAYMENT_NOT_SUPPORTED', 'This server takes no payments with messages.');
}

/** Of messages that a batch holds twice, the first. */
async function lookUp(
  { store }: SettleParts,
  messages: readonly NewMessage[],
  { recipientFees, allowsSender }: Charges,
): Promise<Asked[]> {
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

function refusalOf(pending: readonly Asked[]): RuleError | undefined {
  const blocked = pending.filter(({ fee }) => fee === BLOCKED).map(({ message }) => message.recipient);
  if (blocked.length === 0) return undefined;
  const blockedRecipients = [...new Set(blocked)];
  const who = blockedRecipients.length === 1 ? 'A recipient does' : `${blockedRecipients.length} recipients do`;
  const description = `${who} not take messages from you in this box. Nothing was sent to anybody.`;
  return new RuleError('ERR_DELIVERY_BLOCKED', description, 403, { blockedRecipients });
}

function missingPayment(deliveryFee: number, pending: readonly Asked[]): RuleError {
  const recipients = total(pending.map(({ fee }) => fee));
  return new RuleError(
    'ERR_MISSING_PAYMENT_TX',
    `This costs ${deliveryFee} satoshis for the delivery and ${recipients} for recipients. Send a payment along.`,
  );
}
