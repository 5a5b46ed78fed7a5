export { ByteReader } from './beef/byte-reader.js';
export { collectWithAncestors } from './beef/collect-with-ancestors.js';
export { InvalidTransactionError } from './beef/invalid-transaction-error.js';
export { type MerkleProof, parseProof } from './beef/merkle-proof.js';
export {
  type BeefTransaction,
  type ParsedBeef,
  type ParsedTransaction,
  parseBeef,
  readBeef,
} from './beef/parse-beef.js';
export { type PrunedBeef, pruneBeef } from './beef/prune-beef.js';
export { encodeVarInt, isAtomicBeef, serializeBeef, toAtomicBeef } from './beef/serialize-beef.js';
export {
  type Outpoint,
  parseTransaction,
  type RawTransaction,
  type TransactionOutput,
  toOutpointKey,
} from './beef/transaction.js';
export { type BroadcastResult, type BroadcastServices, type BroadcastVerdict, broadcast } from './chain/broadcast.js';
export { findProof } from './chain/find-proof.js';
export { loadToolbox, type Toolbox } from './toolbox.js';
export { TransactionVerifier } from './verify/transaction-verifier.js';
export { ChainUnavailableError, VerifierBusyError } from './verify/verify-errors.js';
