import { createHash } from 'node:crypto';

/**
 * Who is charged with what they have brought, as the database keeps it: a digest, so that what is brought from an address
 * can be added up and the addresses of those who came are no list that anybody can read.
 *
 * @param askedBy an address (IPv6: its network), or the origin of another host
 */
export function submitterOf(askedBy: string): Buffer {
  return createHash('sha256').update(`overlay submitter ${askedBy}`).digest();
}
