import { type Check, notApplicable, ok, warn } from '../check.js';
import { resultOf } from '../context.js';

/** Headers that proxies add to answers. */
const PROXY_HEADERS = ['via', 'x-served-by', 'cf-ray', 'x-amz-cf-id', 'x-envoy-upstream-service-time'];

/** Whether TRUST_PROXY fits what is in front, so that limits count for the right addresses. */
export const clientAddresses: Check = {
  name: 'client addresses',
  run: async ({ origin, config }) => {
    const { headers } = await resultOf(origin.health, 'the origin');
    const { trustedProxies } = config;
    // The servers themselves speak http only, and name no software.
    const hasProxy = origin.isHttps || headers['server'] !== undefined || PROXY_HEADERS.some((name) => name in headers);
    if (hasProxy && trustedProxies === 0) {
      return warn(
        'an edge is in front, and TRUST_PROXY is 0: all clients seem to have one address, and share its limits',
        'Set TRUST_PROXY to the number of proxies in front, and let them set X-Forwarded-For.',
      );
    }
    if (trustedProxies === 0) return ok('no proxy is trusted');
    if (hasProxy) return ok(`${trustedProxies} trusted`);
    return notApplicable(`TRUST_PROXY is ${trustedProxies}; an edge in front does not show itself`);
  },
};
