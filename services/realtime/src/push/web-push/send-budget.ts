import { KeyedCounter } from '@messagebox/shared';
import { LRUCache } from 'lru-cache';

/** A push that may be sent now, or how long it waits. */
export type Admission = { readonly release: () => void } | { readonly afterMs: number };

/*
 * Clients choose the endpoints, and identities and names cost nothing. So a host that hangs must not hold all of the 16 pushes
 * that a process sends at once.
 */
/** Pushes at once to a host that strangers can't make hang. */
const MAX_PER_KNOWN_HOST = 8;
/** Pushes at once to any other host. */
const MAX_PER_OTHER_HOST = 2;
/** Pushes at once to the names below one registered name, nearly: the last two labels. A wildcard makes any number of hosts. */
const MAX_PER_SITE = 3;
/** Pushes at once to all other hosts together. */
const MAX_TO_OTHER_HOSTS = 6;
/** Pushes at once to the browsers of one identity. */
const MAX_PER_IDENTITY = 3;

/** The push services of today's browsers: Chrome and Edge on Android, Firefox, Safari, Edge on Windows. */
const KNOWN_SERVICES =
  /(?:^|\.)(?:googleapis\.com|push\.services\.mozilla\.com|push\.apple\.com|notify\.windows\.com)$/;

const MIN_WAIT_MS = 100;
const MAX_WAIT_MS = 600_000;
/** How long a push takes, as long as none has ended. */
const DEFAULT_DURATION_MS = 200;
const MAX_REMEMBERED = 10_000;

interface Line {
  /** How long the last push took. */
  durationMs: number;
  /** When the last of those that wait will have had its turn: milliseconds since 1970. */
  bookedUntil: number;
}

/** Whether a host is a push service of a common browser, which strangers can't make hang or fail. */
export function isKnownPushService(hostname: string): boolean {
  return KNOWN_SERVICES.test(hostname);
}

/**
 * Decides which pushes to browsers may be sent at once: so many for each host, site and identity, and so many to all hosts
 * that are not a push service of a common browser. A push that has to wait is told when its turn may be, so that a long line
 * is not asked again and again.
 */
export class SendBudget {
  readonly #active = new KeyedCounter();
  readonly #lines = new LRUCache<string, Line>({ max: MAX_REMEMBERED });

  /** @param url of the endpoint */
  admit(url: URL, identityKey: string): Admission {
    const limits = listLimits(url, identityKey);
    const full = limits.find(([key, limit]) => this.#active.get(key) >= limit);
    if (full !== undefined) return { afterMs: this.#book(...full) };
    const startedAt = Date.now();
    const decrements = limits.map(([key]) => this.#active.increment(key));
    return {
      release: () => {
        for (const decrement of decrements) decrement();
        for (const [key] of limits) this.#getLine(key).durationMs = Date.now() - startedAt;
      },
    };
  }

  #book(key: string, limit: number): number {
    const now = Date.now();
    const line = this.#getLine(key);
    const turn = Math.max(line.bookedUntil, now) + Math.max(line.durationMs, MIN_WAIT_MS) / limit;
    line.bookedUntil = Math.min(turn, now + MAX_WAIT_MS);
    return line.bookedUntil - now;
  }

  #getLine(key: string): Line {
    const known = this.#lines.get(key);
    if (known !== undefined) return known;
    const line = { durationMs: DEFAULT_DURATION_MS, bookedUntil: 0 };
    this.#lines.set(key, line);
    return line;
  }
}

/** What a push counts towards, and how many of it may be sent at once. */
function listLimits({ host, hostname }: URL, identityKey: string): (readonly [string, number])[] {
  const identity = [`identity ${identityKey}`, MAX_PER_IDENTITY] as const;
  if (isKnownPushService(hostname)) return [[`host ${host}`, MAX_PER_KNOWN_HOST], identity];
  return [
    [`host ${host}`, MAX_PER_OTHER_HOST],
    [`site ${toSite(hostname)}`, MAX_PER_SITE],
    ['other hosts', MAX_TO_OTHER_HOSTS],
    identity,
  ];
}

/** The last two labels of a name; an address as it is. */
function toSite(hostname: string): string {
  return /^[\d.]+$|^\[/.test(hostname) ? hostname : hostname.replace(/\.$/, '').split('.').slice(-2).join('.');
}
