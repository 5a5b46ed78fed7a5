import { parseUrl } from '../http/parse-url.js';

/**
 * Whether a text has only what an address of a host needs, and nothing that could end it where it stands among others:
 * in a list, a header, a log.
 */
export function isHostText(text: string): boolean {
  return /^https?:\/\/[A-Za-z0-9._~:/[\]%!$&'()*+-]+$/.test(text);
}

/**
 * What HOSTING_DOMAIN names. A bare domain means https.
 *
 * @param hostingDomain as given
 * @returns undefined for what is no address, and when there is none
 */
export function hostingUrl(hostingDomain: string | undefined): URL | undefined {
  if (hostingDomain === undefined) return undefined;
  const text = hostingDomain.includes('://') ? hostingDomain : `https://${hostingDomain}`;
  return parseUrl(text);
}
