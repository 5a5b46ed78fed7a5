import { isIP } from 'node:net';
import { isHostText, type Network, parseUrl } from '@messagebox/shared';
import { isPublicAddress } from './public-address.js';

const MAX_BYTES = 255;
/** Names that no public DNS answers for (RFC 6761, RFC 6762, RFC 7686, RFC 8375, ICANN), and single labels. */
const SPECIAL_NAMES =
  /(?:^|\.)(?:local|localhost|test|invalid|example|internal|intranet|private|lan|home|corp|onion|arpa)$/;

/**
 * The address of a host as an advertisement may name it: a URL of at most 255 plain characters without credentials, query
 * or fragment. On main and test it has to be https and of the public internet; on local, whose hosts
 * are on the developer's machine, http and private ones will do.
 *
 * @returns undefined for anything else, of whatever type
 */
export function hostUrl(text: unknown, network: Network): URL | undefined {
  if (typeof text !== 'string' || text.length > MAX_BYTES || !isHostText(text)) return undefined;
  const url = parseUrl(text);
  if (network === 'local' || url === undefined) return url;
  return url.protocol === 'https:' && isPublicName(url.hostname) ? url : undefined;
}

/**
 * Where the paths of such a host begin, written in one way: without a slash at the end, and in at most 255 bytes too.
 *
 * @returns undefined as {@link hostUrl}
 */
export function hostBase(text: unknown, network: Network): string | undefined {
  const url = hostUrl(text, network);
  const base = url === undefined ? undefined : `${url.origin}${url.pathname.replace(/\/+$/, '')}`;
  // Written in one way it can be longer than it was, as https://8.1 is https://8.0.0.1, and longer than its column.
  return base === undefined || base.length > MAX_BYTES ? undefined : base;
}

/** Whether a URL's hostname is one that the public internet could know. What it resolves to is another question. */
export function isPublicName(hostname: string): boolean {
  const address = hostname.replace(/^\[(.*)\]$/, '$1');
  if (isIP(address) !== 0) return isPublicAddress(address);
  const name = hostname.replace(/\.$/, '').toLowerCase();
  return name.includes('.') && !SPECIAL_NAMES.test(name);
}
