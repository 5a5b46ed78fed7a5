import { RuleError } from '@messagebox/messages';
import {
  ChainUnavailableError,
  InvalidTransactionError,
  isAtomicBeef,
  type TransactionVerifier,
  toAtomicBeef,
  VerifierBusyError,
} from '@messagebox/transactions';
import type { PaymentVerifier } from './payment-verifier.js';

/** Verifies payments with the verifier that limits the cost of transactions from strangers. */
export function createPaymentVerifier(verifier: TransactionVerifier): PaymentVerifier {
  return {
    parse: (bytes, maxBytes) =>
      withRuleErrors(async () => {
        if (!isAtomicBeef(bytes)) {
          throw new RuleError('ERR_INVALID_PAYMENT', 'payment.tx is not an AtomicBEEF (BRC-95).');
        }
        const parsed = verifier.parse(bytes, maxBytes);
        return {
          txid: parsed.subject.txid,
          verify: (sender) =>
            withRuleErrors(async () => {
              const { txid, outputs, beef, cost } = await verifier.verify(parsed, sender, maxBytes);
              return { txid, outputs, beef: toAtomicBeef(txid, beef), cost };
            }),
        };
      }),
    report: (sender, outcome, cost) => verifier.report(sender, outcome, cost),
  };
}

/** Translates the verifier's errors for clients. */
async function withRuleErrors<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof InvalidTransactionError) {
      const { message, limit } = error;
      const details = limit === undefined ? {} : { field: 'payment.tx', limit };
      throw new RuleError('ERR_INVALID_PAYMENT', message, 400, details);
    }
    if (error instanceof ChainUnavailableError) throw new RuleError('ERR_CHAIN_UNAVAILABLE', error.message, 503);
    if (error instanceof VerifierBusyError) {
      throw new RuleError('ERR_CHAIN_UNAVAILABLE', error.message, 503, {}, { limit: 'payment_verification' });
    }
    throw error;
  }
}
