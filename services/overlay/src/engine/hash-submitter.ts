import { createHash } from 'node:crypto';

/**
 * Computes the digest under which the database charges a submitter for its bytes. A digest is enough to add them up, and
 * keeps a list of client addresses out of the database.
 *
 * @param askedBy an address (IPv6: its network), or the origin of another host
 */
export function hashSubmitter(askedBy: string): Buffer {
  return createHash('sha256').update(`overlay submitter ${askedBy}`).digest();
}
