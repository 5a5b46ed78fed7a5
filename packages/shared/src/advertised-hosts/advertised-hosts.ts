import { LRUCache } from 'lru-cache';
import { parseUrl } from '../http/parse-url.js';
import { hostingUrl, isHostText } from './host-names.js';

/** How long a recipient's hosts are remembered: a change is told of after at most so long. Documented in the README. */
const MAX_AGE_MS = 60_000;
const MOST_REMEMBERED = 50_000;
/** A send to more than this many is not worth as many lookups. */
const MOST_RECIPIENTS = 20;

/** Where identities have advertised that they take messages. */
export interface HostDirectory {
  /** Origins or URLs, the one advertised last first. */
  hostsOf(identityKey: string): Promise<string[]>;
}

/**
 * Tells senders that a recipient has advertised another host than this one: what they sent is stored here all the same,
 * and a recipient's client lists from all its hosts. A hint, so it never fails or holds up a send for long.
 */
export class AdvertisedHosts {
  readonly #remembered = new LRUCache<string, readonly string[]>({ max: MOST_REMEMBERED, ttl: MAX_AGE_MS });

  /** @param ownHosts what counts as this host, such as `messagebox.example` or `localhost:8080` */
  constructor(
    private readonly directory: HostDirectory,
    private readonly ownHosts: readonly string[],
  ) {}

  /**
   * @param askedAt the `Host` that the request was sent to, which is this server by whatever name
   * @returns for each recipient who is advertised, and not here, the newest of the advertised hosts
   */
  async elsewhere(recipients: readonly string[], askedAt: string | undefined): Promise<Map<string, string>> {
    const found = new Map<string, string>();
    if (recipients.length > MOST_RECIPIENTS) return found;
    const own = new Set([...this.ownHosts, ...(askedAt === undefined ? [] : [askedAt.toLowerCase()])]);
    await Promise.all(
      recipients.map(async (recipient) => {
        const hosts = await this.#hostsOf(recipient);
        const [newest] = hosts;
        if (newest !== undefined && !hosts.some((host) => own.has(new URL(host).host))) found.set(recipient, newest);
      }),
    );
    return found;
  }

  async #hostsOf(recipient: string): Promise<readonly string[]> {
    const remembered = this.#remembered.get(recipient);
    if (remembered !== undefined) return remembered;
    try {
      // Those that were admitted under older rules may be anything.
      const hosts = (await this.directory.hostsOf(recipient)).filter(
        (host) => isHostText(host) && parseUrl(host) !== undefined,
      );
      this.#remembered.set(recipient, hosts);
      return hosts;
    } catch {
      return [];
    }
  }
}

/**
 * The value of `x-messagebox-advertised-host`: the host, or for several recipients `KEY=HOST` with commas between.
 *
 * @returns undefined when there is nothing to tell
 */
export function advertisedHostHeader(
  recipients: readonly string[],
  elsewhere: ReadonlyMap<string, string>,
): string | undefined {
  if (elsewhere.size === 0) return undefined;
  const [only] = recipients;
  if (recipients.length === 1 && only !== undefined) return elsewhere.get(only);
  return [...elsewhere].map(([recipient, host]) => `${recipient}=${host}`).join(', ');
}

/** What counts as this host by its configuration. @param hostingDomain HOSTING_DOMAIN as given */
export function ownHosts(hostingDomain: string | undefined): string[] {
  const url = hostingUrl(hostingDomain);
  return url === undefined ? [] : [url.host];
}
