import type { Kind, Sample } from '../honest/sample.ts';

export interface Outage {
  readonly kind: Kind;
  /** How long nothing of this kind was served, milliseconds; infinite when it was not served any more. */
  readonly ms: number;
  /** What a client was told in that time, if anything. */
  readonly reason: string | undefined;
}

/**
 * The longest time for which an honest client was refused or not answered: from when something was due, to when it, or
 * something of its kind that was due later, was done. One slow answer among others that are quick is a matter of
 * latency, not an outage.
 */
export function longestOutage(samples: readonly Sample[]): Outage | undefined {
  let longest: Outage | undefined;
  const earliestDone = new Map<Kind, number>();
  const latestFirst = [...samples].sort((a, b) => b.at - a.at);
  for (const { kind, at, doneAt, reason } of latestFirst) {
    const done = Math.min(doneAt ?? Number.POSITIVE_INFINITY, earliestDone.get(kind) ?? Number.POSITIVE_INFINITY);
    earliestDone.set(kind, done);
    const ms = done - at;
    if (longest === undefined || ms > longest.ms) longest = { kind, ms, reason };
  }
  return longest;
}
