import { LRUCache } from 'lru-cache';
import { parseUrl } from '../http/parse-url.js';
import { isHostUrlText, parseHostingUrl } from './hosting-url.js';

/** How long a recipient's hosts are cached, so a change is visible after at most this time. Documented in the README. */
const MAX_AGE_MS = 60_000;
const MAX_CACHED = 50_000;
/** A send to more recipients than this does without the lookups. */
const MAX_RECIPIENTS = 20;

/** The hosts that identities have advertised as the places where they receive messages. */
export interface HostDirectory {
  /** Origins or URLs, the most recent advertisement first. */
  listHosts(identityKey: string): Promise<string[]>;
}

/**
 * Finds recipients who have advertised other hosts than this one, so that their senders can be told. The message is stored
 * here in any case, and a recipient's client lists from all its hosts. The result is a hint, so a failed lookup is ignored.
 */
export class AdvertisedHosts {
  readonly #cache = new LRUCache<string, readonly string[]>({ max: MAX_CACHED, ttl: MAX_AGE_MS });

  /** @param ownHosts the names of this host, such as `messagebox.example` or `localhost:8080` */
  constructor(
    private readonly directory: HostDirectory,
    private readonly ownHosts: readonly string[],
  ) {}

  /**
   * @param askedAt the `Host` header of the request: one more name of this server
   * @returns the most recently advertised host of each recipient who has advertised hosts, none of them this one
   */
  async findOtherHosts(recipients: readonly string[], askedAt: string | undefined): Promise<Map<string, string>> {
    const found = new Map<string, string>();
    if (recipients.length > MAX_RECIPIENTS) return found;
    const own = new Set([...this.ownHosts, ...(askedAt === undefined ? [] : [askedAt.toLowerCase()])]);
    await Promise.all(
      recipients.map(async (recipient) => {
        const hosts = await this.#listHosts(recipient);
        const [newest] = hosts;
        if (newest !== undefined && !hosts.some((host) => own.has(new URL(host).host))) found.set(recipient, newest);
      }),
    );
    return found;
  }

  async #listHosts(recipient: string): Promise<readonly string[]> {
    const cached = this.#cache.get(recipient);
    if (cached !== undefined) return cached;
    try {
      // Advertisements that were admitted under older rules may hold any text.
      const hosts = (await this.directory.listHosts(recipient)).filter(
        (host) => isHostUrlText(host) && parseUrl(host) !== undefined,
      );
      this.#cache.set(recipient, hosts);
      return hosts;
    } catch {
      return [];
    }
  }
}

/**
 * The value of `x-messagebox-advertised-host`: the host, or for several recipients a comma-separated list of `KEY=HOST`.
 *
 * @returns undefined when no recipient has another host
 */
export function formatAdvertisedHostHeader(
  recipients: readonly string[],
  otherHosts: ReadonlyMap<string, string>,
): string | undefined {
  if (otherHosts.size === 0) return undefined;
  const [only] = recipients;
  if (recipients.length === 1 && only !== undefined) return otherHosts.get(only);
  return [...otherHosts].map(([recipient, host]) => `${recipient}=${host}`).join(', ');
}

/** The names of this host by its configuration. @param hostingDomain HOSTING_DOMAIN */
export function listOwnHosts(hostingDomain: string | undefined): string[] {
  const url = parseHostingUrl(hostingDomain);
  return url === undefined ? [] : [url.host];
}
