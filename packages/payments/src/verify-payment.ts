import { RuleError } from '@messagebox/shared';
import {
  atomicBeef,
  ChainUnavailableError,
  InvalidTransactionError,
  isAtomicBeef,
  type TransactionVerifier,
  VerifierBusyError,
} from '@messagebox/wallet';
import type { PaymentVerifier } from './payment-verifier.js';

/** SPV (BRC-67) by the verifier that bounds what strangers' transactions may cost. */
export function paymentVerifier(verifier: TransactionVerifier): PaymentVerifier {
  return {
    identify: (beef) =>
      translated(async () => {
        if (!isAtomicBeef(beef)) throw new RuleError('ERR_INVALID_PAYMENT', 'payment.tx is no AtomicBEEF (BRC-95).');
        return verifier.identify(beef);
      }),
    verify: (beef, sender) =>
      translated(async () => {
        const { txid, outputs, beef: needed, cost } = await verifier.verify(beef, sender);
        return { txid, outputs, beef: atomicBeef(txid, needed), cost };
      }),
    report: (sender, outcome, cost) => verifier.report(sender, outcome, cost),
  };
}

async function translated<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof InvalidTransactionError) throw new RuleError('ERR_INVALID_PAYMENT', error.message);
    if (error instanceof ChainUnavailableError) throw new RuleError('ERR_CHAIN_UNAVAILABLE', error.message, 503);
    if (error instanceof VerifierBusyError) {
      throw new RuleError('ERR_CHAIN_UNAVAILABLE', error.message, 503, {}, { limit: 'payment_verification' });
    }
    throw error;
  }
}
