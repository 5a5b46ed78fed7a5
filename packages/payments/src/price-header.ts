import { RuleError } from '@messagebox/messages';
import { isAtomicBeef } from '@messagebox/transactions';
import { z } from 'zod';
import { derivationSchema } from './parse-payment.js';

/** A well-formed `x-bsv-payment` header. Nothing is verified. */
export interface PriceHeader {
  readonly derivationPrefix: string;
  readonly derivationSuffix: string;
  /** AtomicBEEF (BRC-95). */
  readonly transaction: Uint8Array;
}

const headerSchema = z.object({
  derivationPrefix: derivationSchema,
  derivationSuffix: derivationSchema,
  transaction: z
    .string()
    .min(1)
    .regex(/^[A-Za-z0-9+/]+={0,2}$/),
});

/**
 * Parses the header `x-bsv-payment` (BRC-105): JSON of `{derivationPrefix, derivationSuffix, transaction}`, of which the
 * transaction is an AtomicBEEF in base64.
 *
 * @throws {RuleError} `ERR_MALFORMED_PAYMENT`
 */
export function parsePriceHeader(header: string): PriceHeader {
  let json: unknown;
  try {
    json = JSON.parse(header);
  } catch {
    throw malformedError('is not JSON');
  }
  const read = headerSchema.safeParse(json);
  if (!read.success) {
    throw malformedError('must hold derivationPrefix, derivationSuffix and transaction, each as base64');
  }
  const transaction = Buffer.from(read.data.transaction, 'base64');
  if (!isAtomicBeef(transaction)) throw malformedError('has a transaction that is not an AtomicBEEF (BRC-95)');
  return { ...read.data, transaction };
}

function malformedError(reason: string): RuleError {
  return new RuleError('ERR_MALFORMED_PAYMENT', `The header x-bsv-payment ${reason}.`);
}
