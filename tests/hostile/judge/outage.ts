import type { Kind, Sample } from '../honest/sample.ts';

export interface Outage {
  readonly kind: Kind;
  /** How long nothing of this kind was served, milliseconds. */
  readonly ms: number;
  /** The answer that a client got in that time, if any. */
  readonly reason: string | undefined;
}

/**
 * The longest time for which an honest client was refused or not answered: from when something was due, to when it, or
 * something of its kind that was due later, succeeded; or, when nothing did, to when the client gave up. One slow answer
 * among others that are quick is a matter of latency, not an outage.
 */
export function findLongestOutage(samples: readonly Sample[]): Outage | undefined {
  let longest: Outage | undefined;
  const servedAt = new Map<Kind, number>();
  const gaveUpAt = new Map<Kind, number>();
  const latestFirst = [...samples].sort((a, b) => b.at - a.at);
  for (const { kind, at, endedAt, succeeded, reason } of latestFirst) {
    if (succeeded) servedAt.set(kind, Math.min(endedAt, servedAt.get(kind) ?? endedAt));
    else gaveUpAt.set(kind, Math.max(endedAt, gaveUpAt.get(kind) ?? endedAt));
    const ms = (servedAt.get(kind) ?? gaveUpAt.get(kind) ?? endedAt) - at;
    if (longest === undefined || ms > longest.ms) longest = { kind, ms, reason };
  }
  return longest;
}
