export { atomicBeef, txidOf } from './verify/scan-beef.js';
export { TransactionVerifier, type VerifiedTransaction, type VerifierLimits } from './verify/transaction-verifier.js';
export * from './verify/verify-errors.js';
