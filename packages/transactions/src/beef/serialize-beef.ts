import { createHash } from 'node:crypto';
import { ATOMIC_BEEF, BEEF_V1, BEEF_V2 } from './beef-versions.js';
import type { BeefTransaction } from './parse-beef.js';

const NO_PROOF = Uint8Array.of(0);
const PROOF = Uint8Array.of(1);

/**
 * Serializes transactions as a BEEF.
 *
 * @param transactions ancestors first, the subject last
 * @param version 1 (BRC-62), which all clients read, or 2 (BRC-96)
 */
export function serializeBeef(transactions: readonly BeefTransaction[], version: 1 | 2 = 2): Buffer {
  const indexes = new Map<string, number>();
  const proofs: Uint8Array[] = [];
  const body: Uint8Array[] = [];
  for (const { raw, proof } of transactions) {
    if (proof === undefined) body.push(...(version === 1 ? [raw, NO_PROOF] : [NO_PROOF, raw]));
    else {
      // Compared by content, because merged BEEFs contain equal merkle paths as different objects.
      const key = createHash('sha256').update(proof.raw).digest('base64');
      const index = indexes.get(key) ?? proofs.push(proof.raw) - 1;
      indexes.set(key, index);
      body.push(...(version === 1 ? [raw, PROOF, encodeVarInt(index)] : [PROOF, encodeVarInt(index), raw]));
    }
  }
  const head = encodeUint32(version === 1 ? BEEF_V1 : BEEF_V2);
  return Buffer.concat([head, encodeVarInt(proofs.length), ...proofs, encodeVarInt(transactions.length), ...body]);
}

/** Wraps a BEEF as an AtomicBEEF (BRC-95) about one of its transactions. */
export function toAtomicBeef(txid: string, beef: Uint8Array): Uint8Array {
  return new Uint8Array(Buffer.concat([encodeUint32(ATOMIC_BEEF), Buffer.from(txid, 'hex').reverse(), beef]));
}

/** Whether the bytes begin like an AtomicBEEF (BRC-95). */
export function isAtomicBeef(bytes: Uint8Array): boolean {
  return bytes.length >= 4 && Buffer.from(bytes.buffer, bytes.byteOffset, 4).readUInt32LE() === ATOMIC_BEEF;
}

/** Encodes a variable-length integer of up to 32 bits: 1, 3 or 5 bytes. */
export function encodeVarInt(value: number): Buffer {
  if (value < 0xfd) return Buffer.of(value);
  const bytes = value <= 0xffff ? Buffer.of(0xfd, 0, 0) : Buffer.of(0xfe, 0, 0, 0, 0);
  if (value <= 0xffff) bytes.writeUInt16LE(value, 1);
  else bytes.writeUInt32LE(value, 1);
  return bytes;
}

function encodeUint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}
