import { createHash, type Hash } from 'node:crypto';

/** How many bytes are hashed without a pause. That takes about a third of a millisecond. */
const HASH_CHUNK_BYTES = 524_288;

/** Runs a short piece of work when it is its turn. */
export type RunInTurn = (work: () => void) => Promise<void>;

/** Whether hashing this many bytes at once would delay other clients noticeably. */
export function needsChunkedHash(bytes: number): boolean {
  return bytes > HASH_CHUNK_BYTES;
}

/** Starts the SHA-256 of a payload with its head and the parts of its body, without copying them into one buffer. */
export function hashPayload(head: Uint8Array, ...body: readonly Uint8Array[]): Hash {
  const hash = createHash('sha256').update(head);
  for (const part of body) hash.update(part);
  return hash;
}

/**
 * Like {@link hashPayload}, in chunks, so that a large body does not delay other clients.
 *
 * @throws what `run` throws
 */
export async function hashPayloadInChunks(
  head: Uint8Array,
  body: readonly Uint8Array[],
  run: RunInTurn,
): Promise<Hash> {
  const hash = createHash('sha256').update(head);
  for (const part of body) {
    for (let i = 0; i < part.length; i += HASH_CHUNK_BYTES) {
      await run(() => void hash.update(part.subarray(i, i + HASH_CHUNK_BYTES)));
    }
  }
  return hash;
}
