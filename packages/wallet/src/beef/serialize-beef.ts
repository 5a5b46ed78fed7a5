import { createHash } from 'node:crypto';
import { ATOMIC_BEEF, BEEF_V1, BEEF_V2 } from './beef-versions.js';
import type { BeefTransaction } from './parse-beef.js';

const NO_PROOF = Uint8Array.of(0);
const PROOF = Uint8Array.of(1);

/**
 * A BEEF of these, in their order: ancestors have to come first, and the one that it is about last.
 *
 * @param version 1 (BRC-62), which everybody reads, or 2 (BRC-96)
 */
export function serializeBeef(transactions: readonly BeefTransaction[], version: 1 | 2 = 2): Buffer {
  const indexes = new Map<string, number>();
  const proofs: Uint8Array[] = [];
  const body: Uint8Array[] = [];
  for (const { raw, proof } of transactions) {
    if (proof === undefined) body.push(...(version === 1 ? [raw, NO_PROOF] : [NO_PROOF, raw]));
    else {
      // Not by the object: several BEEFs that are put together bring equal ones.
      const key = createHash('sha256').update(proof.raw).digest('base64');
      const index = indexes.get(key) ?? proofs.push(proof.raw) - 1;
      indexes.set(key, index);
      body.push(...(version === 1 ? [raw, PROOF, varInt(index)] : [PROOF, varInt(index), raw]));
    }
  }
  const head = uint32(version === 1 ? BEEF_V1 : BEEF_V2);
  return Buffer.concat([head, varInt(proofs.length), ...proofs, varInt(transactions.length), ...body]);
}

/** The same BEEF as an AtomicBEEF about one of its transactions. */
export function atomicBeef(txid: string, beef: Uint8Array): Uint8Array {
  return new Uint8Array(Buffer.concat([uint32(ATOMIC_BEEF), Buffer.from(txid, 'hex').reverse(), beef]));
}

export function isAtomicBeef(bytes: Uint8Array): boolean {
  return bytes.length >= 4 && Buffer.from(bytes.buffer, bytes.byteOffset, 4).readUInt32LE() === ATOMIC_BEEF;
}

/** Bitcoin's variable-length integer of up to 32 bits. */
export function varInt(value: number): Buffer {
  if (value < 0xfd) return Buffer.of(value);
  const bytes = value <= 0xffff ? Buffer.of(0xfd, 0, 0) : Buffer.of(0xfe, 0, 0, 0, 0);
  if (value <= 0xffff) bytes.writeUInt16LE(value, 1);
  else bytes.writeUInt32LE(value, 1);
  return bytes;
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}
