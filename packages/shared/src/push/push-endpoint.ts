import type { Network } from '../config/read-config.js';
import { parseUrl } from '../http/parse-url.js';
import { isPublicName } from '../http/public-name.js';

/** A push service that Google has closed. It knew no VAPID. */
const CLOSED_SERVICE = 'android.googleapis.com';

/**
 * Normalises the endpoint of a Web Push subscription. A stranger chooses it, so it may only lead to the public internet:
 * https, port 443, no credentials, no fragment, no private name or address. On network local, any host and port is allowed,
 * since its push services run on the developer's machine. The address that a name resolves to is checked when a push is sent.
 *
 * @returns undefined when pushes may not be sent there
 */
export function normalisePushEndpoint(endpoint: string, network: Network): string | undefined {
  const url = parseUrl(endpoint);
  if (url === undefined || url.protocol !== 'https:' || url.username + url.password + url.hash !== '') return undefined;
  if (network === 'local') return url.href;
  if (url.port !== '' || !isPublicName(url.hostname) || url.hostname === CLOSED_SERVICE) return undefined;
  return url.href;
}
