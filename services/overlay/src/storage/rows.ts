import type { SqlRow } from '@messagebox/store';
import type { Outpoint } from '@messagebox/transactions';

const SQL_BATCH_SIZE = 100;

export function txidToBytes(txid: string): Buffer {
  return Buffer.from(txid, 'hex');
}

export function bytesToTxid(bytes: unknown): string {
  return (bytes as Buffer).toString('hex');
}

export function toOutpoint(row: SqlRow): Outpoint {
  return { txid: bytesToTxid(row['txid']), outputIndex: Number(row['output_index']) };
}

/** Splits a list into parts that one statement can take. */
export function splitIntoChunks<T>(items: readonly T[]): T[][] {
  const chunks: T[][] = [];
  for (let start = 0; start < items.length; start += SQL_BATCH_SIZE)
    chunks.push(items.slice(start, start + SQL_BATCH_SIZE));
  return chunks;
}
