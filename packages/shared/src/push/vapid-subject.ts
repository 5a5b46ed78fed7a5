import { parseHostingUrl } from '../advertised-hosts/hosting-url.js';
import type { Config } from '../config/read-config.js';

/** A push service that checks the subject needs one, and `.invalid` is nobody's (RFC 6761). */
const NOBODY = 'mailto:operator@messagebox.invalid';

/** Where push services reach the operator (RFC 8292, 2.1): VAPID_SUBJECT, else the origin of HOSTING_DOMAIN. */
export function getVapidSubject({
  vapidSubject,
  hostingDomain,
}: Pick<Config, 'vapidSubject' | 'hostingDomain'>): string {
  if (vapidSubject !== undefined) return vapidSubject;
  const url = parseHostingUrl(hostingDomain);
  return url?.protocol === 'https:' && url.hostname !== 'localhost' ? url.origin : NOBODY;
}
