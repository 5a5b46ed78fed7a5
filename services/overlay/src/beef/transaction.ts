import { createHash } from 'node:crypto';
import { ByteReader, InvalidBeefError } from './byte-reader.js';

export interface Outpoint {
  /** 64 hex characters. */
  readonly txid: string;
  readonly outputIndex: number;
}

export interface RawOutput {
  readonly satoshis: number;
  readonly script: Uint8Array;
}

/** A transaction as its bytes have it. Nothing is verified. */
export interface RawTransaction {
  readonly txid: string;
  readonly raw: Uint8Array;
  readonly inputs: readonly Outpoint[];
  readonly outputs: readonly RawOutput[];
}

/** 21 million coins. */
const MAX_SATOSHIS = 2_100_000_000_000_000n;

/**
 * Takes the bytes of exactly one transaction apart, in time linear to them.
 *
 * @throws {InvalidBeefError}
 */
export function parseTransaction(raw: Uint8Array): RawTransaction {
  const reader = new ByteReader(raw);
  const transaction = readTransaction(reader);
  if (reader.left > 0) throw new InvalidBeefError('There are bytes behind the end of the transaction.');
  return transaction;
}

/** @throws {InvalidBeefError} */
export function readTransaction(reader: ByteReader): RawTransaction {
  const start = reader.position;
  reader.take(4);
  const inputs = Array.from({ length: reader.count(41) }, () => {
    const outpoint = { txid: reader.txid(), outputIndex: reader.uint32() };
    reader.take(reader.varInt());
    reader.take(4);
    return outpoint;
  });
  const outputs = Array.from({ length: reader.count(9) }, () => {
    const satoshis = reader.uint64();
    if (satoshis > MAX_SATOSHIS) throw new InvalidBeefError('An output has more satoshis than there are.');
    return { satoshis: Number(satoshis), script: reader.take(reader.varInt()) };
  });
  reader.take(4);
  const raw = reader.since(start);
  return { txid: txidOf(raw), raw, inputs, outputs };
}

/** The double SHA-256 of a transaction's bytes, reversed, in hex. */
export function txidOf(raw: Uint8Array): string {
  const once = createHash('sha256').update(raw).digest();
  return createHash('sha256').update(once).digest().reverse().toString('hex');
}

/** `TXID.INDEX`, by which outputs are named in GASP and compared here. */
export function outpointKey({ txid, outputIndex }: Outpoint): string {
  return `${txid}.${outputIndex}`;
}
