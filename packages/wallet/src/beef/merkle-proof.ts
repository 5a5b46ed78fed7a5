import { ByteReader } from './byte-reader.js';
import { malformed } from './invalid-transaction-error.js';

/** A merkle path of one block (BRC-74). Nothing is verified. */
export interface MerkleProof {
  readonly raw: Uint8Array;
  readonly blockHeight: number;
  /** The hashes at its lowest level, among which the ids of transactions are. */
  readonly leaves: ReadonlySet<string>;
}

export interface ParsedProof extends MerkleProof {
  /** Hashes at all levels. */
  readonly size: number;
}

const MAX_TREE_HEIGHT = 32;

/**
 * Takes the bytes of exactly one merkle path apart, in time linear to them.
 *
 * @throws {InvalidTransactionError} `malformed`
 */
export function parseProof(bytes: Uint8Array): ParsedProof {
  const reader = new ByteReader(bytes, 'merkle path');
  const proof = readProof(reader);
  reader.end();
  return proof;
}

/** @throws {InvalidTransactionError} `malformed` */
export function readProof(reader: ByteReader): ParsedProof {
  const start = reader.position;
  const blockHeight = reader.varInt();
  if (blockHeight > 0xffff_ffff) throw malformed('A merkle path names a block that can not be.');
  const treeHeight = reader.uint8();
  if (treeHeight === 0 || treeHeight > MAX_TREE_HEIGHT) throw malformed('A merkle path has a wrong height.');
  const leaves = new Set<string>();
  let size = 0;
  for (let level = 0; level < treeHeight; level += 1) {
    const count = reader.count(2);
    size += count;
    for (let left = count; left > 0; left -= 1) {
      if (reader.varInt() > 0x7fff_ffff) throw malformed('A merkle path has an offset that can not be.');
      const isDuplicate = (reader.uint8() & 1) === 1;
      if (isDuplicate) continue;
      const hash = reader.hash();
      if (level === 0) leaves.add(hash);
    }
  }
  return { raw: reader.since(start), blockHeight, leaves, size };
}
