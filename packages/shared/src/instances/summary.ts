import type { InstanceSnapshot, Rates } from './instance-snapshot.js';
import { addCounts, estimatePercentiles, type LatencyPercentiles } from './latency-histogram.js';

/** All instances together. */
export interface InstancesSummary {
  readonly rates: Rates;
  readonly deliveryLatencyMs: LatencyPercentiles;
  readonly sockets: number;
  /** Hits since the starts of the instances that run, the most frequent first. */
  readonly limitsHit: readonly { readonly name: string; readonly count: number }[];
}

/** Adds up what instances say of themselves. */
export function summariseInstances(snapshots: readonly InstanceSnapshot[]): InstancesSummary {
  const rate = (name: keyof Rates) => Math.round(snapshots.reduce((sum, one) => sum + one.rates[name], 0) * 100) / 100;
  const hits = new Map<string, number>();
  for (const { limitsHit } of snapshots) {
    for (const [name, count] of Object.entries(limitsHit)) hits.set(name, (hits.get(name) ?? 0) + count);
  }
  return {
    rates: {
      messagesPerSecond: rate('messagesPerSecond'),
      acknowledgedPerSecond: rate('acknowledgedPerSecond'),
      requestsPerSecond: rate('requestsPerSecond'),
      pushesPerSecond: rate('pushesPerSecond'),
    },
    deliveryLatencyMs: estimatePercentiles(addCounts(snapshots.map(({ latencyCounts }) => latencyCounts))),
    sockets: snapshots.reduce((sum, { sockets }) => sum + sockets, 0),
    limitsHit: [...hits]
      .map(([name, count]) => ({ name, count }))
      .sort((a, b) => b.count - a.count || (a.name < b.name ? -1 : 1)),
  };
}
