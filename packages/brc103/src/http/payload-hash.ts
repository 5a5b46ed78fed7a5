import { createHash, type Hash } from 'node:crypto';

/** Hashed without a pause: about a third of a millisecond. */
const SLICE_BYTES = 524_288;

/** Runs a short piece of work when it is its turn. */
export type RunPiece = (work: () => void) => Promise<void>;

/** Whether hashing so many bytes at once would keep others waiting. */
export function isLongToHash(bytes: number): boolean {
  return bytes > SLICE_BYTES;
}

/** The SHA-256 of a payload in the making: its head and the body behind it, which are not copied into one. */
export function hashPayload(head: Uint8Array, body: Uint8Array): Hash {
  return createHash('sha256').update(head).update(body);
}

/**
 * The same in pieces, so that a large body does not keep other clients waiting.
 *
 * @throws what `run` throws
 */
export async function hashPayloadInSlices(head: Uint8Array, body: Uint8Array, run: RunPiece): Promise<Hash> {
  const hash = createHash('sha256').update(head);
  for (let i = 0; i < body.length; i += SLICE_BYTES) {
    await run(() => void hash.update(body.subarray(i, i + SLICE_BYTES)));
  }
  return hash;
}
