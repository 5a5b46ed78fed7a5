export { ByteReader } from './byte-reader.js';
export { InvalidTransactionError, type InvalidTransactionKind } from './invalid-transaction-error.js';
export { type MerkleProof, type ParsedProof, parseProof } from './merkle-proof.js';
export {
  type BeefContent,
  type BeefTransaction,
  type ParsedBeef,
  type ParsedTransaction,
  parseBeef,
  readBeef,
} from './parse-beef.js';
export { atomicBeef, isAtomicBeef, serializeBeef, varInt } from './serialize-beef.js';
export {
  type Outpoint,
  outpointKey,
  parseTransaction,
  type RawTransaction,
  type TransactionInput,
  type TransactionOutput,
  txidOf,
} from './transaction.js';
export { withAncestors } from './with-ancestors.js';
