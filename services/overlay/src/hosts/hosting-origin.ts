import { isPublicName, parseHostingUrl } from '@messagebox/shared';
import { parseHostUrl } from './host-url.js';

/** The origin that this host can advertise, or the reason why there is none. */
export type HostingOrigin = { readonly origin: string } | { readonly reason: string };

/**
 * Parses HOSTING_DOMAIN. Only a public https origin can be advertised (BRC-88): clients must be able to reach it from
 * everywhere and to verify its certificate.
 *
 * @param hostingDomain HOSTING_DOMAIN as given
 */
export function parseHostingOrigin(hostingDomain: string | undefined): HostingOrigin {
  if (hostingDomain === undefined) return { reason: 'HOSTING_DOMAIN is not set' };
  const url = parseHostingUrl(hostingDomain);
  if (url === undefined || url.protocol !== 'https:') return { reason: 'HOSTING_DOMAIN is not an https origin' };
  if (url.pathname !== '/' || url.search + url.hash + url.username + url.password !== '') {
    return { reason: 'HOSTING_DOMAIN must be an origin without a path, such as https://messagebox.example' };
  }
  if (!isPublicName(url.hostname)) return { reason: 'HOSTING_DOMAIN is not a public name' };
  // Topics would refuse the advertisement on any network, for example because the URL is too long.
  if (parseHostUrl(url.origin, 'main') === undefined)
    return { reason: 'HOSTING_DOMAIN cannot be used in an advertisement' };
  return { origin: url.origin };
}
