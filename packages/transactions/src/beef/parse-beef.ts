import { ATOMIC_BEEF, BEEF_V1, BEEF_V2 } from './beef-versions.js';
import { ByteReader, type CountParts } from './byte-reader.js';
import { InvalidTransactionError, malformedError } from './invalid-transaction-error.js';
import { type MerkleProof, type ParsedProof, readProof } from './merkle-proof.js';
import { type RawTransaction, readTransaction } from './transaction.js';

/** A transaction with its merkle path, if it has one. */
export interface BeefTransaction extends RawTransaction {
  /** A merkle path that contains the transaction's id. */
  readonly proof: MerkleProof | undefined;
}

/** A transaction of a parsed BEEF. */
export interface ParsedTransaction extends BeefTransaction {
  readonly proof: ParsedProof | undefined;
}

/** The content of a BEEF. */
export interface BeefContent {
  /** The transaction that the BEEF is about: that of an AtomicBEEF, else the last. It may be missing. */
  readonly subjectTxid: string;
  readonly proofs: readonly ParsedProof[];
  /** By id, in the order of the bytes, without the entries that are an id only. */
  readonly transactions: ReadonlyMap<string, ParsedTransaction>;
}

/** The content of a BEEF that contains its subject. */
export interface ParsedBeef extends BeefContent {
  readonly subject: ParsedTransaction;
}

/** A transaction with the index of its merkle path, or an id only. */
type BeefEntry =
  | { readonly transaction: RawTransaction; readonly named: number | undefined }
  | { readonly txid: string };

/**
 * Parses a BEEF, as {@link readBeef}, and finds its subject.
 *
 * @throws {InvalidTransactionError} as {@link readBeef}, and `incomplete` when the subject is missing
 */
export function parseBeef(bytes: Uint8Array, maxTransactions?: number, maxParts?: number): ParsedBeef {
  const content = readBeef(bytes, maxTransactions, maxParts);
  const subject = content.transactions.get(content.subjectTxid);
  if (subject === undefined) {
    throw new InvalidTransactionError('incomplete', 'The BEEF does not contain the transaction that it is about.');
  }
  return { ...content, subject };
}

/**
 * Parses a BEEF: V1 (BRC-62), V2 (BRC-96), or either in an AtomicBEEF (BRC-95). Takes time linear in the bytes, and verifies
 * nothing. The SDK's reader trusts counts and loops forever on some invalid bytes, so it never gets the bytes of strangers
 * before they have passed this function.
 *
 * @throws {InvalidTransactionError} `malformed` when the bytes are not exactly one BEEF, `proof` when a transaction names
 * a merkle path that does not contain it, `limit` for more than `maxTransactions`, or for more than `maxParts` inputs, outputs
 * and hashes of merkle paths together: each takes a few bytes of a BEEF, and an object in memory
 */
export function readBeef(
  bytes: Uint8Array,
  maxTransactions = Number.POSITIVE_INFINITY,
  maxParts = Number.POSITIVE_INFINITY,
): BeefContent {
  let parts = 0;
  const countParts: CountParts = (count) => {
    parts += count;
    if (parts > maxParts) {
      const message = `The BEEF has more than ${maxParts} inputs, outputs and hashes of merkle paths.`;
      throw new InvalidTransactionError('limit', message);
    }
  };
  const reader = new ByteReader(bytes, 'BEEF');
  let version = reader.readUint32();
  let atomicTxid: string | undefined;
  if (version === ATOMIC_BEEF) {
    atomicTxid = reader.readHash();
    version = reader.readUint32();
  }
  if (version !== BEEF_V1 && version !== BEEF_V2) {
    throw malformedError('This is not a BEEF: it begins with another version.');
  }
  const proofs = Array.from({ length: reader.readCount(4) }, () => readUsefulProof(reader, countParts));
  const count = reader.readCount(10);
  if (count === 0) throw malformedError('The BEEF has no transaction.');
  if (count > maxTransactions) {
    throw new InvalidTransactionError('limit', `The BEEF has more than ${maxTransactions} transactions.`);
  }
  const readEntry = version === BEEF_V1 ? readV1 : readV2;
  const entries = Array.from({ length: count }, () => readEntry(reader, countParts));
  reader.assertEnd();
  return { subjectTxid: atomicTxid ?? getLastTxid(entries), proofs, transactions: attachProofs(entries, proofs) };
}

/** A path without leaves is refused: it takes four bytes of a BEEF, and much more memory here. */
function readUsefulProof(reader: ByteReader, countParts: CountParts): ParsedProof {
  const proof = readProof(reader, countParts);
  if (proof.leaves.size === 0) throw malformedError('A merkle path contains no transaction.');
  return proof;
}

function readV1(reader: ByteReader, countParts: CountParts): BeefEntry {
  const transaction = readTransaction(reader, countParts);
  const flag = reader.readUint8();
  if (flag > 1) throw malformedError('A transaction is not followed by the flag for its merkle path.');
  return { transaction, named: flag === 1 ? reader.readVarInt() : undefined };
}

function readV2(reader: ByteReader, countParts: CountParts): BeefEntry {
  const format = reader.readUint8();
  if (format === 2) return { txid: reader.readHash() };
  if (format > 2) throw malformedError('A transaction has an unknown format.');
  const named = format === 1 ? reader.readVarInt() : undefined;
  return { transaction: readTransaction(reader, countParts), named };
}

function getLastTxid(entries: readonly BeefEntry[]): string {
  const last = entries.at(-1);
  if (last === undefined) return '';
  return 'txid' in last ? last.txid : last.transaction.txid;
}

function attachProofs(entries: readonly BeefEntry[], proofs: readonly ParsedProof[]): Map<string, ParsedTransaction> {
  const proofByTxid = new Map<string, ParsedProof>();
  for (const proof of proofs.toReversed()) {
    for (const txid of proof.leaves) proofByTxid.set(txid, proof);
  }
  const transactions = new Map<string, ParsedTransaction>();
  for (const entry of entries) {
    if ('txid' in entry) continue;
    const { transaction, named } = entry;
    const { txid } = transaction;
    if (transactions.has(txid)) throw malformedError(`The BEEF has transaction ${txid} twice.`);
    const proof = named === undefined ? proofByTxid.get(txid) : proofs[named];
    if (named !== undefined && proof === undefined) {
      throw malformedError(`Transaction ${txid} names a merkle path that does not exist.`);
    }
    if (proof?.leaves.has(txid) === false) {
      throw new InvalidTransactionError('proof', `The merkle path of transaction ${txid} does not contain it.`);
    }
    transactions.set(txid, { ...transaction, proof });
  }
  return transactions;
}
