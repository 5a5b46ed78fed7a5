import { parseUrl } from '../http/parse-url.js';

/**
 * Whether a text is an http or https URL that holds only characters which are safe in a list, a header and a log line. It
 * has no comma, semicolon, double quote or white space.
 */
export function isHostUrlText(text: string): boolean {
  return /^https?:\/\/[A-Za-z0-9._~:/[\]%!$&'()*+-]+$/.test(text);
}

/**
 * The URL that HOSTING_DOMAIN names. A bare domain means https.
 *
 * @returns undefined when the text is not a URL, or there is none
 */
export function parseHostingUrl(hostingDomain: string | undefined): URL | undefined {
  if (hostingDomain === undefined) return undefined;
  const text = hostingDomain.includes('://') ? hostingDomain : `https://${hostingDomain}`;
  return parseUrl(text);
}
