import { hostUrl, isPublicName } from '../net/host-url.js';

/** What can be advertised as this host's address, or why nothing can. */
export type HostingOrigin = { readonly origin: string } | { readonly reason: string };

/**
 * Only a public https origin can be advertised (BRC-88): others are to reach it from anywhere, and to know by its
 * certificate that they have. A bare domain means https.
 *
 * @param hostingDomain HOSTING_DOMAIN as given
 */
export function hostingOrigin(hostingDomain: string | undefined): HostingOrigin {
  if (hostingDomain === undefined) return { reason: 'HOSTING_DOMAIN is not set' };
  const text = hostingDomain.includes('://') ? hostingDomain : `https://${hostingDomain}`;
  const url = parsed(text);
  if (url === undefined || url.protocol !== 'https:') return { reason: 'HOSTING_DOMAIN is no https origin' };
  if (url.pathname !== '/' || url.search + url.hash + url.username + url.password !== '') {
    return { reason: 'HOSTING_DOMAIN is more than an origin such as https://messagebox.example' };
  }
  if (!isPublicName(url.hostname)) return { reason: 'HOSTING_DOMAIN is not a name of the public internet' };
  // What no topic would take on any network, be it for its length.
  if (hostUrl(url.origin, 'main') === undefined) return { reason: 'HOSTING_DOMAIN can not stand in an advertisement' };
  return { origin: url.origin };
}

/** Not by `URL.canParse`, which in Node 20 takes letters like ü for wrong once it has been called often. */
function parsed(text: string): URL | undefined {
  try {
    return new URL(text);
  } catch {
    return undefined;
  }
}
