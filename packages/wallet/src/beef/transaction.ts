import { createHash } from 'node:crypto';
import { ByteReader } from './byte-reader.js';
import { malformed } from './invalid-transaction-error.js';

export interface Outpoint {
  /** 64 hex characters. */
  readonly txid: string;
  readonly outputIndex: number;
}

export interface TransactionOutput {
  /** At most 21 million coins, so exact. */
  readonly satoshis: number;
  /** The locking script: a view of the bytes that were parsed. */
  readonly script: Uint8Array;
}

/** The output that is spent, and how. */
export interface TransactionInput extends Outpoint {
  /** The unlocking script: a view of the bytes that were parsed. */
  readonly script: Uint8Array;
  /** 0xffffffff: this input does not ask for the lock time to be waited for. */
  readonly sequence: number;
}

/** A transaction as its bytes have it. Nothing is verified. */
export interface RawTransaction {
  readonly txid: string;
  readonly raw: Uint8Array;
  /** The outputs that it spends. */
  readonly inputs: readonly TransactionInput[];
  readonly outputs: readonly TransactionOutput[];
  /** nLockTime: a block height below 500,000,000, else seconds since 1970. */
  readonly lockTime: number;
}

/** No output can be more: 21 million coins. */
const MAX_SATOSHIS = 2_100_000_000_000_000n;
/** A hash of two hashes could pass for a transaction of this length, and its branch for a proof. */
const LENGTH_OF_TWO_HASHES = 64;

/**
 * Takes the bytes of exactly one transaction apart, in time linear to them.
 *
 * @throws {InvalidTransactionError} `malformed`
 */
export function parseTransaction(raw: Uint8Array): RawTransaction {
  const reader = new ByteReader(raw, 'transaction');
  const transaction = readTransaction(reader);
  reader.end();
  return transaction;
}

/** @throws {InvalidTransactionError} `malformed` */
export function readTransaction(reader: ByteReader): RawTransaction {
  const start = reader.position;
  reader.take(4);
  const inputs = Array.from({ length: reader.count(41) }, () => {
    const outpoint = { txid: reader.hash(), outputIndex: reader.uint32() };
    return { ...outpoint, script: reader.take(reader.varInt()), sequence: reader.uint32() };
  });
  const outputs = Array.from({ length: reader.count(9) }, () => {
    const satoshis = reader.uint64();
    if (satoshis > MAX_SATOSHIS) throw malformed('An output has more satoshis than there are.');
    return { satoshis: Number(satoshis), script: reader.take(reader.varInt()) };
  });
  const lockTime = reader.uint32();
  const raw = reader.since(start);
  if (raw.length === LENGTH_OF_TWO_HASHES) throw malformed('A transaction of 64 bytes is not accepted.');
  return { txid: txidOf(raw), raw, inputs, outputs, lockTime };
}

/** The id of a transaction: the double SHA-256 of its bytes, reversed, in hex. */
export function txidOf(raw: Uint8Array): string {
  const once = createHash('sha256').update(raw).digest();
  return createHash('sha256').update(once).digest().reverse().toString('hex');
}

/** `TXID.INDEX`, by which outputs are named in GASP and compared here. */
export function outpointKey({ txid, outputIndex }: Outpoint): string {
  return `${txid}.${outputIndex}`;
}
