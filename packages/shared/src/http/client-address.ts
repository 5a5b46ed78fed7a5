import type { IncomingMessage } from 'node:http';
import { isIPv6 } from 'node:net';
import proxyAddress from 'proxy-addr';

/**
 * The address that a request comes from: the connection's, or with trusted proxies in front, the one that the outermost
 * of them says, as {@link addressKey} writes it.
 *
 * @param trustedProxies how many hops may be believed (TRUST_PROXY)
 */
export function clientAddress(request: IncomingMessage, trustedProxies: number): string {
  return addressKey(proxyAddress(request, (_address, hop) => hop < trustedProxies) ?? '');
}

/**
 * What counts as one address where limits count: an IPv4 address, and of an IPv6 address the network, of which whoever has
 * one has 2^64.
 */
export function addressKey(address: string): string {
  const [bare = ''] = address.split('%'); // without the name of an interface
  if (!isIPv6(bare)) return bare;
  const groups = groupsOf(bare);
  const [high = 0, low = 0] = groups.slice(6);
  const isMapped = groups.slice(0, 6).join() === '0,0,0,0,0,65535';
  if (isMapped) return [high >> 8, high & 0xff, low >> 8, low & 0xff].join('.');
  const network = groups.slice(0, 4).map((group) => group.toString(16));
  return `${network.join(':')}::/64`;
}

/** The eight numbers of an IPv6 address, however it is written. */
function groupsOf(address: string): number[] {
  // As a URL has it, there is no IPv4 notation at its end.
  const [head = [], tail = []] = new URL(`http://[${address}]`).hostname
    .slice(1, -1)
    .split('::')
    .map((part) => (part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16))));
  return [...head, ...Array<number>(8 - head.length - tail.length).fill(0), ...tail];
}
