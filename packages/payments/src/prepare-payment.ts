import { type DuePayment, type PriceReference, RuleError, type UploadProcessor } from '@messagebox/messages';
import { matchOutputs } from './match-outputs.js';
import { assertDeliverySize, countStoredBytes, type DeliverySizes, type PaidDelivery } from './paid-delivery.js';
import type { ParsedPayment } from './parse-payment.js';
import { noWalletError } from './payment-errors.js';
import type { PaymentReceiver } from './payment-receiver.js';
import type { PaymentScripts } from './payment-scripts.js';
import type { MessageKeys, NewPayment } from './payment-store.js';
import type { PaymentVerifier, UnverifiedPayment, VerifiedPayment } from './payment-verifier.js';

export interface PreparePaymentOptions {
  readonly verifier: PaymentVerifier;
  readonly scripts: PaymentScripts;
  readonly receiver: Pick<PaymentReceiver, 'hasWallet'>;
  /** Limits of the messages with their payment. */
  readonly sizes: DeliverySizes;
  /** Undefined: no transaction is taken from an upload. */
  readonly uploads?: Pick<UploadProcessor, 'read' | 'keepForPayment'> | undefined;
}

/** A verified payment, ready to be recorded. */
export interface PreparedPayment {
  readonly payment: NewPayment;
  /** Whether anybody is paid. If not, it is not recorded: a stranger could use up the transaction of somebody else. */
  readonly pays: boolean;
}

/**
 * Verifies a payment, and that it covers what is due.
 *
 * @throws {RuleError} with a code of `paymentErrorCodes`, and the errors of `due.blocked`, `due.admit` and `due.holdPrice`;
 *   nothing is recorded then
 */
export async function preparePayment(
  options: PreparePaymentOptions,
  due: DuePayment,
  payment: ParsedPayment,
  unverified: UnverifiedPayment,
): Promise<PreparedPayment> {
  if (due.blocked !== undefined) throw due.blocked;
  const verified = await unverified.verify(due.sender);
  let prepared: PreparedPayment;
  try {
    prepared = matchPayment(options, due, payment, verified);
  } catch (error) {
    options.verifier.report(due.sender, 'useless', verified.cost);
    throw error;
  }
  const { payment: verifiedPayment } = prepared;
  const { delivery } = verifiedPayment;
  await due.admit?.(countStoredBytes(verified.beef, delivery));
  // From here on the payment may have to be completed after an interruption.
  for (const { upload } of delivery.messages) {
    if (upload !== undefined) await options.uploads?.keepForPayment({ uploadId: upload.uploadId, sender: due.sender });
  }
  let price: PriceReference | undefined;
  try {
    price = await due.holdPrice?.();
  } catch (error) {
    // Verified for nothing so far. An honest client comes back with the price, and its payment is reported as useful then.
    options.verifier.report(due.sender, 'useless', verified.cost);
    throw error;
  }
  if (price === undefined) return prepared;
  return { ...prepared, payment: { ...verifiedPayment, delivery: { ...delivery, price } } };
}

/** Assigns the payment's outputs to server and recipients. */
function matchPayment(
  { scripts, receiver, sizes }: PreparePaymentOptions,
  due: DuePayment,
  { outputs, description, labels }: ParsedPayment,
  { txid, beef, outputs: verifiedOutputs }: VerifiedPayment,
): PreparedPayment {
  const recipients = due.messages.map(({ message: { recipient }, fee, isStored }) => ({ recipient, fee, isStored }));
  const matched = matchOutputs(outputs, verifiedOutputs, { ...due, recipients }, scripts);
  const { server, pays } = matched;
  if (server !== undefined && !receiver.hasWallet) throw noWalletError();
  const first = due.messages[0]?.message;
  const inline: PaidDelivery = {
    messageBox: first?.messageBox ?? '',
    body: due.body,
    messages: due.messages.flatMap(({ message: { recipient, messageId, upload }, isStored }, i) => {
      const outputs = (matched.recipients[i] ?? []).map(({ given }) => given);
      return isStored ? [] : [{ recipient, messageId, outputs, ...(upload === undefined ? {} : { upload }) }];
    }),
    ...(first?.expiresAt === undefined ? {} : { expiresAt: first.expiresAt.toISOString() }),
    ...(first?.isSilent === true ? { isSilent: true as const } : {}),
    ...(description === undefined ? {} : { description }),
    ...(labels === undefined ? {} : { labels }),
  };
  const delivery = toPassable(beef, inline, due.beefUpload, sizes);
  const serverOutput = server && { outputIndex: server.outputIndex, remittance: server.remittance };
  return {
    pays,
    payment: { txid, sender: due.sender, messageKeys: toMessageKeys(due), beef, serverOutput, delivery },
  };
}

/**
 * The delivery in a form that can be stored: with the transaction in the message, or, when that would be too large and the
 * transaction was uploaded, with the upload.
 */
function toPassable(
  beef: Uint8Array,
  inline: PaidDelivery,
  upload: DuePayment['beefUpload'],
  sizes: DeliverySizes,
): PaidDelivery {
  try {
    assertDeliverySize(beef, inline, sizes);
    return inline;
  } catch (error) {
    if (upload === undefined) throw error;
  }
  const [message, ...others] = inline.messages;
  if (message === undefined || others.length > 0 || message.upload !== undefined) {
    throw new RuleError(
      'ERR_INVALID_UPLOAD',
      'A transaction as large as this goes to one recipient, in a message without another upload.',
    );
  }
  const byReference = { ...inline, beefR2Key: upload.uploadId, messages: [{ ...message, upload }] };
  assertDeliverySize(beef, byReference, sizes);
  return byReference;
}

/** The keys of the messages that are due, in the order of the request. */
export function toMessageKeys({ messages }: DuePayment): MessageKeys {
  return messages.map(({ message: { recipient, messageBox, messageId } }) => [recipient, messageBox, messageId]);
}
