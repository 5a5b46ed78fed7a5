import { isIPv4, isIPv6 } from 'node:net';
import ipaddr from 'ipaddr.js';

const GLOBAL_UNICAST = ipaddr.IPv6.parse('2000::');
/** Servers of AS112 (RFC 7534). IANA lists the network as special, and as reachable from everywhere. */
const AS112_SERVERS = ipaddr.IPv6.parse('2620:4f:8000::');

/**
 * Whether an IP address belongs to the public internet: not to this machine, a private network, or a range of IANA's
 * special-purpose registries, some of which contain an IPv4 address (Teredo, 6to4, IPv4-mapped).
 *
 * @returns false for text that is not an IP address
 */
export function isPublicAddress(text: string): boolean {
  if (isIPv4(text)) return ipaddr.IPv4.parse(text).range() === 'unicast';
  if (!isIPv6(text)) return false;
  const address = ipaddr.IPv6.parse(text);
  if (!address.match(GLOBAL_UNICAST, 3)) return false;
  return address.range() === 'unicast' || address.match(AS112_SERVERS, 48);
}
