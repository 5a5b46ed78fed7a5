import type { DuePayment, PriceReference } from '@messagebox/messages';
import { matchOutputs } from './match-outputs.js';
import { assertDeliverySize, countStoredBytes } from './paid-delivery.js';
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
  await due.admit?.(countStoredBytes(verified.beef, verifiedPayment.delivery));
  let price: PriceReference | undefined;
  try {
    price = await due.holdPrice?.();
  } catch (error) {
    // Verified for nothing so far. An honest client comes back with the price, and its payment is reported as useful then.
    options.verifier.report(due.sender, 'useless', verified.cost);
    throw error;
  }
  if (price === undefined) return prepared;
  return { ...prepared, payment: { ...verifiedPayment, delivery: { ...verifiedPayment.delivery, price } } };
}

/** Assigns the payment's outputs to server and recipients. */
function matchPayment(
  { scripts, receiver }: PreparePaymentOptions,
  due: DuePayment,
  { outputs, description, labels }: ParsedPayment,
  { txid, beef, outputs: verifiedOutputs }: VerifiedPayment,
): PreparedPayment {
  const recipients = due.messages.map(({ message: { recipient }, fee, isStored }) => ({ recipient, fee, isStored }));
  const matched = matchOutputs(outputs, verifiedOutputs, { ...due, recipients }, scripts);
  const { server, pays } = matched;
  if (server !== undefined && !receiver.hasWallet) throw noWalletError();
  const first = due.messages[0]?.message;
  const delivery = {
    messageBox: first?.messageBox ?? '',
    body: due.body,
    messages: due.messages.flatMap(({ message: { recipient, messageId }, isStored }, i) =>
      isStored ? [] : [{ recipient, messageId, outputs: (matched.recipients[i] ?? []).map(({ given }) => given) }],
    ),
    ...(first?.expiresAt === undefined ? {} : { expiresAt: first.expiresAt.toISOString() }),
    ...(description === undefined ? {} : { description }),
    ...(labels === undefined ? {} : { labels }),
  };
  assertDeliverySize(beef, delivery);
  const serverOutput = server && { outputIndex: server.outputIndex, remittance: server.remittance };
  return {
    pays,
    payment: { txid, sender: due.sender, messageKeys: toMessageKeys(due), beef, serverOutput, delivery },
  };
}

/** The keys of the messages that are due, in the order of the request. */
export function toMessageKeys({ messages }: DuePayment): MessageKeys {
  return messages.map(({ message: { recipient, messageBox, messageId } }) => [recipient, messageBox, messageId]);
}
