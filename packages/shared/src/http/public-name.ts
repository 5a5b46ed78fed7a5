import { isIP } from 'node:net';
import { isPublicAddress } from './public-address.js';

/** Top-level names that the public DNS doesn't resolve (RFC 6761, RFC 6762, RFC 7686, RFC 8375, ICANN). */
const SPECIAL_NAMES =
  /(?:^|\.)(?:local|localhost|test|invalid|example|internal|intranet|private|lan|home|corp|onion|arpa)$/;

/** Whether a URL's hostname can be known to the public internet. The name is not resolved. */
export function isPublicName(hostname: string): boolean {
  const address = hostname.replace(/^\[(.*)\]$/, '$1');
  if (isIP(address) !== 0) return isPublicAddress(address);
  const name = hostname.replace(/\.$/, '').toLowerCase();
  return name.includes('.') && !SPECIAL_NAMES.test(name);
}
