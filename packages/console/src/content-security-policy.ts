/** What may stand in a Host header: letters, digits, dots, hyphens, a port, or an IPv6 address in brackets. */
const HOST = /^(?:[a-z0-9.-]{1,253}|\[[0-9a-f:.]{2,45}\])(?::\d{1,5})?$/i;

/** Where wallets of the same machine answer (BRC-100 over HTTP; the addresses are those of WalletClient in @bsv/sdk). */
const LOCAL_WALLETS = ['http://localhost:3321', 'https://localhost:2121', 'http://localhost:3301'];

/** The page's only Trusted Types policy. It lets the address of the service worker pass, and nothing else. */
const WORKER_POLICY = 'messagebox-worker';

/**
 * The policy of the page: nothing from elsewhere, no inline script, no text that becomes markup.
 *
 * @param host the Host header of the request; without a valid one, sockets need a browser that counts them to 'self'
 */
export function createContentSecurityPolicy(host: string | undefined): string {
  // CSP Level 3 counts sockets of the same host to 'self', and some browsers do not yet.
  const sockets = host !== undefined && HOST.test(host) ? [`ws://${host}`, `wss://${host}`] : [];
  const directives = {
    'default-src': ["'none'"],
    'script-src': ["'self'"],
    'style-src': ["'self'"],
    'img-src': ["'self'"],
    'connect-src': ["'self'", ...sockets, ...LOCAL_WALLETS],
    'worker-src': ["'self'"],
    'manifest-src': ["'self'"],
    'base-uri': ["'none'"],
    'form-action': ["'none'"],
    'frame-ancestors': ["'none'"],
    'require-trusted-types-for': ["'script'"],
    'trusted-types': [WORKER_POLICY],
  };
  return Object.entries(directives)
    .map(([name, values]) => `${name} ${values.join(' ')}`)
    .join('; ');
}
