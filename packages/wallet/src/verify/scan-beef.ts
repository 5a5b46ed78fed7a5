import { createHash } from 'node:crypto';
import { ByteReader } from './byte-reader.js';
import { InvalidTransactionError } from './verify-errors.js';

/** Of a transaction what must be known before its scripts are worth running. */
export interface ScannedTransaction {
  readonly txid: string;
  readonly raw: Uint8Array;
  readonly inputs: readonly { readonly txid: string; readonly outputIndex: number }[];
  /** Satoshis of each output. */
  readonly outputs: readonly bigint[];
  /** Index of the merkle path that the BEEF names for it. */
  readonly bump: number | undefined;
}

/** A merkle path of one block (BRC-74). */
export interface ScannedBump {
  readonly raw: Uint8Array;
  readonly height: number;
  /** The hashes at its lowest level, among which the ids of transactions are. */
  readonly leaves: ReadonlySet<string>;
  /** Hashes at all levels. */
  readonly size: number;
}

export interface ScannedBeef {
  /** The transaction that an AtomicBEEF (BRC-95) is about. */
  readonly atomicTxid: string | undefined;
  readonly bumps: readonly ScannedBump[];
  /** In the order of the bytes; a string is a transaction that is there by its id only (BRC-96). */
  readonly transactions: readonly (ScannedTransaction | string)[];
}

const ATOMIC = 0x01010101;
const V1 = 0xefbe0001;
const V2 = 0xefbe0002;
const MAX_TREE_HEIGHT = 32;
/** No output, and no sum of outputs, can be more: 21 million coins. */
const MAX_SATOSHIS = 2_100_000_000_000_000n;
/** A hash of two hashes could pass for a transaction of this length, and its branch for a proof. */
const LENGTH_OF_TWO_HASHES = 64;

/**
 * Takes a BEEF apart: V1 (BRC-62), V2 (BRC-96), either in an atomic one (BRC-95). Works in time linear to the bytes and
 * runs no scripts. Says nothing about whether what is in it is true.
 *
 * @throws {InvalidTransactionError} `malformed`, when the bytes are not exactly one BEEF; `limit`, for more than
 * `maxTransactions`
 */
export function scanBeef(bytes: Uint8Array, maxTransactions: number): ScannedBeef {
  const reader = new ByteReader(bytes);
  let version = reader.uint32();
  let atomicTxid: string | undefined;
  if (version === ATOMIC) {
    atomicTxid = reader.hash();
    version = reader.uint32();
  }
  if (version !== V1 && version !== V2) throw malformed('This is not a BEEF: it begins with another version.');
  const bumps = Array.from({ length: reader.count(4) }, () => scanBump(reader));
  const count = reader.count(10);
  if (count === 0) throw malformed('The BEEF has no transaction.');
  if (count > maxTransactions) {
    throw new InvalidTransactionError('limit', `The BEEF has more than ${maxTransactions} transactions.`);
  }
  const transactions = Array.from({ length: count }, () => (version === V1 ? scanV1(reader) : scanV2(reader)));
  if (reader.left > 0) throw malformed('There are bytes after the end of the BEEF.');
  for (const transaction of transactions) {
    if (typeof transaction !== 'string' && (transaction.bump ?? -1) >= bumps.length) {
      throw malformed(`Transaction ${transaction.txid} names a merkle path that is not there.`);
    }
  }
  return { atomicTxid, bumps, transactions };
}

/** A plain V2 BEEF of these parts; `bump` of a transaction is an index into `bumps`. */
export function writeBeef(
  bumps: readonly ScannedBump[],
  transactions: readonly { readonly raw: Uint8Array; readonly bump: number | undefined }[],
): Uint8Array {
  const parts: Uint8Array[] = [uint32(V2), varInt(bumps.length), ...bumps.map(({ raw }) => raw)];
  parts.push(varInt(transactions.length));
  for (const { raw, bump } of transactions) {
    parts.push(...(bump === undefined ? [Uint8Array.of(0)] : [Uint8Array.of(1), varInt(bump)]), raw);
  }
  return new Uint8Array(Buffer.concat(parts));
}

/** The same BEEF as an AtomicBEEF about one of its transactions. */
export function atomicBeef(txid: string, beef: Uint8Array): Uint8Array {
  return new Uint8Array(Buffer.concat([uint32(ATOMIC), Buffer.from(txid, 'hex').reverse(), beef]));
}

function scanV1(reader: ByteReader): ScannedTransaction {
  const transaction = scanTransaction(reader);
  const flag = reader.uint8();
  if (flag > 1) throw malformed('A transaction is followed by something else than whether it has a merkle path.');
  return flag === 1 ? { ...transaction, bump: reader.varInt() } : transaction;
}

function scanV2(reader: ByteReader): ScannedTransaction | string {
  const format = reader.uint8();
  if (format === 2) return reader.hash();
  if (format > 2) throw malformed('A transaction has an unknown format.');
  const bump = format === 1 ? reader.varInt() : undefined;
  return { ...scanTransaction(reader), bump };
}

function scanTransaction(reader: ByteReader): ScannedTransaction {
  const start = reader.position;
  reader.take(4);
  const inputs = Array.from({ length: reader.count(41) }, () => {
    const txid = reader.hash();
    const outputIndex = reader.uint32();
    reader.take(reader.varInt());
    reader.take(4);
    return { txid, outputIndex };
  });
  const outputs = Array.from({ length: reader.count(9) }, () => {
    const satoshis = reader.uint64();
    if (satoshis > MAX_SATOSHIS) throw malformed('An output has more satoshis than there are.');
    reader.take(reader.varInt());
    return satoshis;
  });
  reader.take(4);
  const raw = reader.since(start);
  if (raw.length === LENGTH_OF_TWO_HASHES) throw malformed('A transaction of 64 bytes is not accepted.');
  return { txid: txidOf(raw), raw, inputs, outputs, bump: undefined };
}

/** An output as it stands in a transaction. */
export interface TransactionOutput {
  readonly satoshis: number;
  /** The locking script. */
  readonly script: Uint8Array;
}

/** @param raw a transaction that was scanned */
export function outputsOf(raw: Uint8Array): TransactionOutput[] {
  const reader = new ByteReader(raw);
  reader.take(4);
  for (let inputs = reader.count(41); inputs > 0; inputs -= 1) {
    reader.take(36);
    reader.take(reader.varInt());
    reader.take(4);
  }
  return Array.from({ length: reader.count(9) }, () => {
    const satoshis = Number(reader.uint64());
    return { satoshis, script: Uint8Array.from(reader.take(reader.varInt())) };
  });
}

function scanBump(reader: ByteReader): ScannedBump {
  const start = reader.position;
  const height = reader.varInt();
  if (height > 0xffff_ffff) throw malformed('A merkle path names a block that can not be.');
  const treeHeight = reader.uint8();
  if (treeHeight === 0 || treeHeight > MAX_TREE_HEIGHT) throw malformed('A merkle path has a wrong height.');
  const leaves = new Set<string>();
  let size = 0;
  for (let level = 0; level < treeHeight; level += 1) {
    const count = reader.count(2);
    size += count;
    for (let index = 0; index < count; index += 1) {
      if (reader.varInt() > 0x7fff_ffff) throw malformed('A merkle path has an offset that can not be.');
      const duplicate = (reader.uint8() & 1) === 1;
      if (duplicate) continue;
      const hash = reader.hash();
      if (level === 0) leaves.add(hash);
    }
  }
  return { raw: reader.since(start), height, leaves, size };
}

/** The id of a transaction: its double SHA-256, reversed, in hex. */
export function txidOf(raw: Uint8Array): string {
  const once = createHash('sha256').update(raw).digest();
  return createHash('sha256').update(once).digest().reverse().toString('hex');
}

function uint32(value: number): Uint8Array {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

/** For the counts that limits let pass. */
function varInt(value: number): Uint8Array {
  if (value < 0xfd) return Uint8Array.of(value);
  return Uint8Array.of(0xfd, value & 0xff, value >> 8);
}

function malformed(message: string): InvalidTransactionError {
  return new InvalidTransactionError('malformed', message);
}
