import { ByteReader, type CountParts, countNothing } from './byte-reader.js';
import { malformedError } from './invalid-transaction-error.js';

/** A merkle path of one block (BRC-74), not verified. */
export interface MerkleProof {
  readonly raw: Uint8Array;
  readonly blockHeight: number;
  /** The hashes of the lowest level, which include the ids of the transactions. */
  readonly leaves: ReadonlySet<string>;
}

/** A merkle path that was parsed in this process. */
export interface ParsedProof extends MerkleProof {
  /** Number of hashes at all levels. */
  readonly size: number;
}

const MAX_TREE_HEIGHT = 32;

/**
 * Parses the bytes of exactly one merkle path, in linear time.
 *
 * @throws {InvalidTransactionError} `malformed`
 */
export function parseProof(bytes: Uint8Array): ParsedProof {
  const reader = new ByteReader(bytes, 'merkle path');
  const proof = readProof(reader);
  reader.assertEnd();
  return proof;
}

/** Reads one merkle path. @throws {InvalidTransactionError} `malformed`, and what `countParts` throws */
export function readProof(reader: ByteReader, countParts: CountParts = countNothing): ParsedProof {
  const start = reader.position;
  const blockHeight = reader.readVarInt();
  if (blockHeight > 0xffff_ffff) throw malformedError('A merkle path names an impossible block height.');
  const treeHeight = reader.readUint8();
  if (treeHeight === 0 || treeHeight > MAX_TREE_HEIGHT) throw malformedError('A merkle path has a wrong height.');
  const leaves = new Set<string>();
  let size = 0;
  for (let level = 0; level < treeHeight; level += 1) {
    const count = reader.readCount(2);
    size += count;
    countParts(count);
    for (let left = count; left > 0; left -= 1) {
      if (reader.readVarInt() > 0x7fff_ffff) throw malformedError('A merkle path has an impossible offset.');
      const isDuplicate = (reader.readUint8() & 1) === 1;
      if (isDuplicate) continue;
      const hash = reader.readHash();
      if (level === 0) leaves.add(hash);
    }
  }
  return { raw: reader.sliceFrom(start), blockHeight, leaves, size };
}
