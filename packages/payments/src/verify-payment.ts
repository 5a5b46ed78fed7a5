import { Transaction } from '@bsv/sdk';
import { RuleError } from '@messagebox/shared';
import {
  atomicBeef,
  ChainUnavailableError,
  InvalidTransactionError,
  type TransactionVerifier,
  VerifierBusyError,
} from '@messagebox/wallet';
import type { VerifiedPayment } from './payment-desk.js';

/**
 * SPV (BRC-67) for a payment, by the verifier that bounds what strangers' transactions may cost.
 *
 * @throws {RuleError} `ERR_INVALID_PAYMENT` with the reason, or `ERR_CHAIN_UNAVAILABLE`: worth another try
 */
export async function verifyPayment(verifier: TransactionVerifier, beef: Uint8Array): Promise<VerifiedPayment> {
  try {
    const verified = await verifier.verify(beef);
    const transaction = Transaction.fromBEEF([...verified.beef], verified.txid);
    return {
      txid: verified.txid,
      outputs: transaction.outputs.map(({ satoshis = 0, lockingScript }) => ({
        satoshis,
        script: lockingScript.toUint8Array(),
      })),
      beef: atomicBeef(verified.txid, verified.beef),
    };
  } catch (error) {
    if (error instanceof InvalidTransactionError) throw new RuleError('ERR_INVALID_PAYMENT', error.message);
    if (error instanceof ChainUnavailableError || error instanceof VerifierBusyError) {
      throw new RuleError('ERR_CHAIN_UNAVAILABLE', error.message, 503);
    }
    throw error;
  }
}
