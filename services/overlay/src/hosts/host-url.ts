import { isHostUrlText, isPublicName, type Network, parseUrl } from '@messagebox/shared';

const MAX_URL_BYTES = 255;

/**
 * Parses the URL of a host as an advertisement may name it: at most 255 plain characters, without credentials, query or
 * fragment. On networks main and test the URL must be https and public. On network local, http and private hosts are
 * allowed, since its hosts run on the developer's machine.
 *
 * @returns undefined for anything else, of any type
 */
export function parseHostUrl(text: unknown, network: Network): URL | undefined {
  if (typeof text !== 'string' || text.length > MAX_URL_BYTES || !isHostUrlText(text)) return undefined;
  const url = parseUrl(text);
  if (network === 'local' || url === undefined) return url;
  return url.protocol === 'https:' && isPublicName(url.hostname) ? url : undefined;
}

/**
 * Normalizes the URL of a host to the base of its paths: without a slash at the end, at most 255 bytes.
 *
 * @returns undefined for what {@link parseHostUrl} refuses
 */
export function toHostBase(text: unknown, network: Network): string | undefined {
  const url = parseHostUrl(text, network);
  const base = url === undefined ? undefined : `${url.origin}${url.pathname.replace(/\/+$/, '')}`;
  // The normalized URL can be longer than the given one and than its column: https://8.1 becomes https://8.0.0.1.
  return base === undefined || base.length > MAX_URL_BYTES ? undefined : base;
}
