import { connect, type TLSSocket } from 'node:tls';
import { withTimeLimit } from '../time-limit.js';

/** The certificate that an origin shows. */
export interface CertificateFacts {
  /** Why it is not trusted: `CERT_HAS_EXPIRED`, `DEPTH_ZERO_SELF_SIGNED_CERT`, … Undefined: it is trusted. */
  readonly problem: string | undefined;
  readonly validUntil: Date;
}

/** Looks at the certificate. @throws {TimeLimitError}, or the system's error when there is no TLS */
export function probeTls(origin: URL, limitMs: number): Promise<CertificateFacts> {
  return withTimeLimit(limitMs, (signal) => {
    const host = origin.hostname.replace(/^\[(.*)\]$/, '$1');
    const port = origin.port === '' ? 443 : Number(origin.port);
    // A name that is an address can't be sent as server name.
    const servername = /^[\d.]+$|:/.test(host) ? undefined : host;
    return new Promise<CertificateFacts>((resolve, reject) => {
      const socket: TLSSocket = connect(
        { host, port, rejectUnauthorized: false, ...(servername === undefined ? {} : { servername }) },
        () => {
          const { valid_to: validTo } = socket.getPeerCertificate();
          const { authorized, authorizationError } = socket;
          socket.destroy();
          resolve({
            problem: authorized ? undefined : codeOf(authorizationError),
            validUntil: new Date(validTo),
          });
        },
      );
      socket.once('error', reject);
      signal.addEventListener('abort', () => socket.destroy(), { once: true });
    });
  });
}

function codeOf(error: unknown): string {
  const { code } = error as { code?: unknown };
  return typeof code === 'string' ? code : String(error);
}
