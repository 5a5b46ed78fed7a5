import { RuleError } from '@messagebox/messages';

/** The version of BRC-105 that current clients require. */
const PAYMENT_VERSION = '1.0';

/** Asks for the price of a request (BRC-105). @param derivationPrefix what the payment must be derived with */
export function paymentRequiredError(satoshis: number, derivationPrefix: string): RuleError {
  const description = `This request costs ${satoshis} satoshis. Pay them with the header x-bsv-payment.`;
  return new RuleError(
    'ERR_PAYMENT_REQUIRED',
    description,
    402,
    { satoshisRequired: satoshis },
    {
      headers: {
        'x-bsv-payment-version': PAYMENT_VERSION,
        'x-bsv-payment-satoshis-required': String(satoshis),
        'x-bsv-payment-derivation-prefix': derivationPrefix,
      },
    },
  );
}

/** The payment was derived with a prefix that this server has not made for the caller, or too long ago. */
export function invalidPrefixError(reason: string): RuleError {
  return new RuleError('ERR_INVALID_DERIVATION_PREFIX', `The derivationPrefix of x-bsv-payment ${reason}.`);
}

/** The payment does not pay this server, or is not valid. */
export function paymentFailedError(reason: string): RuleError {
  return new RuleError('ERR_PAYMENT_FAILED', reason);
}

/** The first output of the payment is less than the price. */
export function priceTooLowError(due: number, paid: number): RuleError {
  const description = `The request costs ${due} satoshis, and the payment has ${paid} for it.`;
  return new RuleError('ERR_INSUFFICIENT_PAYMENT', description);
}
