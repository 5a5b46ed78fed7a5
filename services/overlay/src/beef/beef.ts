import { createHash } from 'node:crypto';
import { ByteReader, InvalidBeefError } from './byte-reader.js';
import { type RawTransaction, readTransaction } from './transaction.js';

/** A merkle path of one block (BRC-74). Nothing is verified. */
export interface MerkleProof {
  readonly raw: Uint8Array;
  readonly blockHeight: number;
  /** The hashes at its lowest level, among which the ids of transactions are. */
  readonly leaves: ReadonlySet<string>;
}

export interface BeefTransaction extends RawTransaction {
  readonly proof: MerkleProof | undefined;
}

export interface ParsedBeef {
  /** The transaction that it is about: that of an AtomicBEEF, else the last. */
  readonly subject: BeefTransaction;
  readonly transactions: ReadonlyMap<string, BeefTransaction>;
}

const ATOMIC = 0x01010101;
const V1 = 0xefbe0001;
const V2 = 0xefbe0002;
const MAX_TREE_HEIGHT = 64;

/**
 * Takes a BEEF apart (V1: BRC-62, V2: BRC-96, AtomicBEEF: BRC-95), in time linear to its bytes. The SDK's own reader
 * does not end for some bytes that are no BEEF, so nothing that strangers send is given to it unread. Transactions that
 * are there by their id only are left out.
 *
 * @throws {InvalidBeefError}
 */
export function parseBeef(bytes: Uint8Array): ParsedBeef {
  const reader = new ByteReader(bytes);
  let version = reader.uint32();
  let subject: string | undefined;
  if (version === ATOMIC) {
    subject = reader.txid();
    version = reader.uint32();
  }
  if (version !== V1 && version !== V2) throw new InvalidBeefError('This is not a BEEF.');
  const proofs = Array.from({ length: reader.count(4) }, () => readProof(reader));
  const proofOf = new Map(proofs.flatMap((proof) => [...proof.leaves].map((txid) => [txid, proof] as const)));
  const transactions = new Map<string, BeefTransaction>();
  let last: string | undefined;
  for (let left = reader.count(10); left > 0; left--) {
    const transaction = version === V1 ? readV1(reader) : readV2(reader);
    last = transaction?.txid;
    if (transaction) transactions.set(transaction.txid, { ...transaction, proof: proofOf.get(transaction.txid) });
  }
  if (reader.left > 0) throw new InvalidBeefError('There are bytes behind the end of the BEEF.');
  const found = transactions.get(subject ?? last ?? '');
  if (found === undefined) throw new InvalidBeefError('The BEEF does not have the transaction that it is about.');
  return { subject: found, transactions };
}

/**
 * A transaction and what it needs to be verified: its ancestors back to those with a merkle path, each before its
 * descendants. Each is visited once, however they are entangled.
 *
 * @param find by id
 * @throws {InvalidBeefError} when one is missing, or they descend from each other in a circle
 */
export function withAncestors(txid: string, find: (txid: string) => BeefTransaction | undefined): BeefTransaction[] {
  const done = new Map<string, BeefTransaction>();
  const under = new Set<string>();
  const path = [txid];
  // Without recursion: a chain of ancestors may be longer than the stack is deep.
  for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
    if (done.has(top)) {
      path.pop();
      continue;
    }
    const transaction = find(top);
    if (transaction === undefined) throw new InvalidBeefError(`Transaction ${top} is missing, or its merkle path.`);
    const missing =
      transaction.proof === undefined ? transaction.inputs.find((input) => !done.has(input.txid)) : undefined;
    if (missing === undefined) {
      done.set(top, transaction);
      under.delete(top);
      path.pop();
    } else {
      under.add(top);
      if (under.has(missing.txid)) throw new InvalidBeefError('Transactions descend from each other in a circle.');
      path.push(missing.txid);
    }
  }
  return [...done.values()];
}

/** A BEEF V2 of these, in their order: ancestors have to come first, and the one that it is about last. */
export function serializeBeef(transactions: readonly BeefTransaction[]): Buffer {
  const indexes = new Map<string, number>();
  const proofs: Uint8Array[] = [];
  const body: Uint8Array[] = [];
  for (const { raw, proof } of transactions) {
    if (proof === undefined) body.push(Uint8Array.of(0), raw);
    else {
      // Not by the object: several BEEFs that are put together bring equal ones.
      const key = createHash('sha256').update(proof.raw).digest('base64');
      const index = indexes.get(key) ?? proofs.push(proof.raw) - 1;
      indexes.set(key, index);
      body.push(Uint8Array.of(1), varInt(index), raw);
    }
  }
  const version = Buffer.alloc(4);
  version.writeUInt32LE(V2);
  return Buffer.concat([version, varInt(proofs.length), ...proofs, varInt(transactions.length), ...body]);
}

/**
 * The bytes of one merkle path.
 *
 * @throws {InvalidBeefError}
 */
export function parseProof(bytes: Uint8Array): MerkleProof {
  const reader = new ByteReader(bytes);
  const proof = readProof(reader);
  if (reader.left > 0) throw new InvalidBeefError('There are bytes behind the end of the merkle path.');
  return proof;
}

/** Bitcoin's variable-length integer of up to 32 bits. */
export function varInt(value: number): Buffer {
  if (value < 0xfd) return Buffer.of(value);
  const bytes = value <= 0xffff ? Buffer.of(0xfd, 0, 0) : Buffer.of(0xfe, 0, 0, 0, 0);
  if (value <= 0xffff) bytes.writeUInt16LE(value, 1);
  else bytes.writeUInt32LE(value, 1);
  return bytes;
}

function readV1(reader: ByteReader): RawTransaction {
  const transaction = readTransaction(reader);
  if (reader.uint8() !== 0) reader.varInt();
  return transaction;
}

function readV2(reader: ByteReader): RawTransaction | undefined {
  const format = reader.uint8();
  if (format > 2) throw new InvalidBeefError('A transaction has an unknown format.');
  if (format === 2) {
    reader.take(32);
    return undefined;
  }
  if (format === 1) reader.varInt();
  return readTransaction(reader);
}

function readProof(reader: ByteReader): MerkleProof {
  const start = reader.position;
  const blockHeight = reader.varInt();
  const treeHeight = reader.uint8();
  if (treeHeight === 0 || treeHeight > MAX_TREE_HEIGHT) throw new InvalidBeefError('A merkle path has a wrong height.');
  const leaves = new Set<string>();
  for (let level = 0; level < treeHeight; level++) {
    for (let left = reader.count(2); left > 0; left--) {
      reader.varInt();
      const isDuplicate = (reader.uint8() & 1) === 1;
      if (isDuplicate) continue;
      const hash = reader.txid();
      if (level === 0) leaves.add(hash);
    }
  }
  return { raw: reader.since(start), blockHeight, leaves };
}
