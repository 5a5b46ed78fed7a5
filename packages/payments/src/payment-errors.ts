import { RuleError } from '@messagebox/messages';

/** The transaction is recorded for other messages, or for another sender. */
export function paymentReusedError(): RuleError {
  return new RuleError('ERR_PAYMENT_REUSED', 'This transaction has paid for other messages. Make a new payment.');
}

/** The network does not accept the transaction. */
export function paymentRejectedError(reason: string | undefined): RuleError {
  const suffix = reason ? `: ${reason}` : '';
  return new RuleError('ERR_INVALID_PAYMENT', `The network does not accept the payment${suffix}.`);
}

/** A delivery fee is paid to a server that cannot receive it. */
export function noWalletError(): RuleError {
  const description = 'This server has no wallet to receive delivery fees with. The payment was not used.';
  return new RuleError('ERR_PAYMENT_NOT_SUPPORTED', description);
}

/** A message id was taken between the first look and the storing of the messages. */
export function messageIdConflictError(): RuleError {
  return new RuleError(
    'ERR_DUPLICATE_MESSAGE',
    'The recipient has received another message with this messageId in the meantime. Choose another id and send the same payment again: it has not been used.',
  );
}

/** The sender has too many retries in progress. */
export function tooManyRetriesError(): RuleError {
  const description = 'Too many of your payments are in progress. Send the same request again later.';
  return new RuleError('ERR_CHAIN_UNAVAILABLE', description, 503, {}, { limit: 'payment_repeats' });
}
