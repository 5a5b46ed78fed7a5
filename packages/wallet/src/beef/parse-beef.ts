import { ATOMIC_BEEF, BEEF_V1, BEEF_V2 } from './beef-versions.js';
import { ByteReader } from './byte-reader.js';
import { InvalidTransactionError, malformed } from './invalid-transaction-error.js';
import { type MerkleProof, type ParsedProof, readProof } from './merkle-proof.js';
import { type RawTransaction, readTransaction } from './transaction.js';

export interface BeefTransaction extends RawTransaction {
  /** A merkle path that has its id. */
  readonly proof: MerkleProof | undefined;
}

export interface ParsedTransaction extends BeefTransaction {
  readonly proof: ParsedProof | undefined;
}

/** What is in a BEEF. */
export interface BeefContent {
  /** The transaction that it is about, which need not be there: that of an AtomicBEEF, else the last. */
  readonly subjectTxid: string;
  readonly proofs: readonly ParsedProof[];
  /** By id, in the order of the bytes, without those that are there by their id only. */
  readonly transactions: ReadonlyMap<string, ParsedTransaction>;
}

export interface ParsedBeef extends BeefContent {
  readonly subject: ParsedTransaction;
}

/** A transaction with the index of the merkle path that is named for it, or one that is there by its id only. */
type Entry = { readonly transaction: RawTransaction; readonly named: number | undefined } | { readonly txid: string };

/**
 * Takes a BEEF apart, as {@link readBeef}, and finds the transaction that it is about.
 *
 * @throws {InvalidTransactionError} as {@link readBeef}; `incomplete`, when that transaction is not there
 */
export function parseBeef(bytes: Uint8Array, maxTransactions?: number): ParsedBeef {
  const content = readBeef(bytes, maxTransactions);
  const subject = content.transactions.get(content.subjectTxid);
  if (subject === undefined) {
    throw new InvalidTransactionError('incomplete', 'The BEEF does not contain the transaction that it is about.');
  }
  return { ...content, subject };
}

/**
 * Takes a BEEF apart: V1 (BRC-62), V2 (BRC-96), either in an atomic one (BRC-95). Works in time linear to the bytes and
 * runs no scripts. The SDK's own reader believes counts and does not end for some bytes that are no BEEF, so nothing that
 * strangers send is given to it unread. Says nothing about whether what is in it is true.
 *
 * @throws {InvalidTransactionError} `malformed`, when the bytes are not exactly one BEEF; `proof`, when a transaction
 * names a merkle path that does not have it; `limit`, for more than `maxTransactions`
 */
export function readBeef(bytes: Uint8Array, maxTransactions = Number.POSITIVE_INFINITY): BeefContent {
  const reader = new ByteReader(bytes, 'BEEF');
  let version = reader.uint32();
  let atomicTxid: string | undefined;
  if (version === ATOMIC_BEEF) {
    atomicTxid = reader.hash();
    version = reader.uint32();
  }
  if (version !== BEEF_V1 && version !== BEEF_V2) {
    throw malformed('This is not a BEEF: it begins with another version.');
  }
  const proofs = Array.from({ length: reader.count(4) }, () => readUsefulProof(reader));
  const count = reader.count(10);
  if (count === 0) throw malformed('The BEEF has no transaction.');
  if (count > maxTransactions) {
    throw new InvalidTransactionError('limit', `The BEEF has more than ${maxTransactions} transactions.`);
  }
  const entries = Array.from({ length: count }, () => (version === BEEF_V1 ? readV1(reader) : readV2(reader)));
  reader.end();
  return { subjectTxid: atomicTxid ?? txidOfLast(entries), proofs, transactions: withProofs(entries, proofs) };
}

/** One without leaves takes four bytes of a BEEF, and here much more. */
function readUsefulProof(reader: ByteReader): ParsedProof {
  const proof = readProof(reader);
  if (proof.leaves.size === 0) throw malformed('A merkle path is of no transaction.');
  return proof;
}

function readV1(reader: ByteReader): Entry {
  const transaction = readTransaction(reader);
  const flag = reader.uint8();
  if (flag > 1) throw malformed('A transaction is followed by something else than whether it has a merkle path.');
  return { transaction, named: flag === 1 ? reader.varInt() : undefined };
}

function readV2(reader: ByteReader): Entry {
  const format = reader.uint8();
  if (format === 2) return { txid: reader.hash() };
  if (format > 2) throw malformed('A transaction has an unknown format.');
  const named = format === 1 ? reader.varInt() : undefined;
  return { transaction: readTransaction(reader), named };
}

function txidOfLast(entries: readonly Entry[]): string {
  const last = entries.at(-1);
  if (last === undefined) return '';
  return 'txid' in last ? last.txid : last.transaction.txid;
}

function withProofs(entries: readonly Entry[], proofs: readonly ParsedProof[]): Map<string, ParsedTransaction> {
  const proofOf = new Map<string, ParsedProof>();
  for (const proof of proofs.toReversed()) {
    for (const txid of proof.leaves) proofOf.set(txid, proof);
  }
  const transactions = new Map<string, ParsedTransaction>();
  for (const entry of entries) {
    if ('txid' in entry) continue;
    const { transaction, named } = entry;
    const { txid } = transaction;
    if (transactions.has(txid)) throw malformed(`The BEEF has transaction ${txid} twice.`);
    const proof = named === undefined ? proofOf.get(txid) : proofs[named];
    if (named !== undefined && proof === undefined) {
      throw malformed(`Transaction ${txid} names a merkle path that is not there.`);
    }
    if (proof?.leaves.has(txid) === false) {
      throw new InvalidTransactionError('proof', `The merkle path of transaction ${txid} is of other transactions.`);
    }
    transactions.set(txid, { ...transaction, proof });
  }
  return transactions;
}
