import { createHash } from 'node:crypto';
import { ByteReader, type CountParts, countNothing } from './byte-reader.js';
import { malformedError } from './invalid-transaction-error.js';

/** One output of one transaction. */
export interface Outpoint {
  /** 64 hex characters. */
  readonly txid: string;
  readonly outputIndex: number;
}

/** An output as it was parsed. */
export interface TransactionOutput {
  /** At most 21 million coins, so the number is exact. */
  readonly satoshis: number;
  /** The locking script: a view of the bytes that were parsed. */
  readonly script: Uint8Array;
}

/** An input as it was parsed: the output that it spends, and how. */
export interface TransactionInput extends Outpoint {
  /** The unlocking script: a view of the bytes that were parsed. */
  readonly script: Uint8Array;
  /** With 0xffffffff, this input does not enforce the lock time. */
  readonly sequence: number;
}

/** A parsed transaction, not verified. */
export interface RawTransaction {
  readonly txid: string;
  readonly raw: Uint8Array;
  /** The outputs that it spends. */
  readonly inputs: readonly TransactionInput[];
  readonly outputs: readonly TransactionOutput[];
  /** nLockTime: a block height below 500,000,000, else seconds since 1970. */
  readonly lockTime: number;
}

/** 21 million coins: the maximum of an output. */
const MAX_SATOSHIS = 2_100_000_000_000_000n;
/** An inner node of a merkle tree has this length. It could be presented as a transaction, with its branch as the proof. */
const LENGTH_OF_TWO_HASHES = 64;

/**
 * Parses the bytes of exactly one transaction, in linear time.
 *
 * @throws {InvalidTransactionError} `malformed`
 */
export function parseTransaction(raw: Uint8Array): RawTransaction {
  const reader = new ByteReader(raw, 'transaction');
  const transaction = readTransaction(reader);
  reader.assertEnd();
  return transaction;
}

/** Reads one transaction. @throws {InvalidTransactionError} `malformed`, and what `countParts` throws */
export function readTransaction(reader: ByteReader, countParts: CountParts = countNothing): RawTransaction {
  const readCount = (leastBytes: number) => {
    const count = reader.readCount(leastBytes);
    countParts(count);
    return count;
  };
  const start = reader.position;
  reader.readBytes(4);
  const inputs = Array.from({ length: readCount(41) }, () => {
    const outpoint = { txid: reader.readHash(), outputIndex: reader.readUint32() };
    return { ...outpoint, script: reader.readBytes(reader.readVarInt()), sequence: reader.readUint32() };
  });
  const outputs = Array.from({ length: readCount(9) }, () => {
    const satoshis = reader.readUint64();
    if (satoshis > MAX_SATOSHIS) throw malformedError('An output has more satoshis than there are.');
    return { satoshis: Number(satoshis), script: reader.readBytes(reader.readVarInt()) };
  });
  const lockTime = reader.readUint32();
  const raw = reader.sliceFrom(start);
  if (raw.length === LENGTH_OF_TWO_HASHES) throw malformedError('A transaction of 64 bytes is not accepted.');
  return { txid: computeTxid(raw), raw, inputs, outputs, lockTime };
}

/** Computes the id of a transaction: the double SHA-256 of its bytes, reversed, in hex. */
export function computeTxid(raw: Uint8Array): string {
  const once = createHash('sha256').update(raw).digest();
  return createHash('sha256').update(once).digest().reverse().toString('hex');
}

/** Returns `TXID.INDEX`, the form of GASP. It is also used as a key of sets and maps. */
export function toOutpointKey({ txid, outputIndex }: Outpoint): string {
  return `${txid}.${outputIndex}`;
}
