import type { Remittance } from './parse-payment.js';

/** An output that pays the server: a delivery fee, or the price of a request. */
export interface ServerOutput {
  readonly outputIndex: number;
  readonly remittance: Remittance;
}
