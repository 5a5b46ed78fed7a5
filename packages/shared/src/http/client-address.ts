import type { IncomingMessage } from 'node:http';
import { isIPv6 } from 'node:net';
import ipaddr from 'ipaddr.js';
import proxyAddress from 'proxy-addr';

/**
 * The client's address, in the form of {@link toAddressKey}: the address of the connection or, behind trusted proxies, the
 * one that the outermost of them reports.
 *
 * @param trustedProxies the number of proxies whose `X-Forwarded-For` is trusted (TRUST_PROXY)
 */
export function getClientAddress(request: IncomingMessage, trustedProxies: number): string {
  return toAddressKey(proxyAddress(request, (_address, hop) => hop < trustedProxies) ?? '');
}

/**
 * The key under which limits count an address: an IPv4 address, or the /64 network of an IPv6 address, because the holder
 * of one IPv6 address has 2^64 of them.
 */
export function toAddressKey(address: string): string {
  const [bare = ''] = address.split('%'); // without the name of an interface
  if (!isIPv6(bare)) return bare;
  const parsed = ipaddr.IPv6.parse(bare);
  if (parsed.isIPv4MappedAddress()) return parsed.toIPv4Address().toString();
  const network = parsed.parts.slice(0, 4).map((part) => part.toString(16));
  return `${network.join(':')}::/64`;
}
