import type { IncomingMessage } from 'node:http';
import proxyAddress from 'proxy-addr';

/**
 * The address that a request comes from: the connection's, or with trusted proxies in front, the one that the outermost
 * of them says.
 *
 * @param trustedProxies how many hops may be believed (TRUST_PROXY)
 */
export function clientAddress(request: IncomingMessage, trustedProxies: number): string {
  return proxyAddress(request, (_address, hop) => hop < trustedProxies) ?? '';
}
