import { SECONDS_BUCKETS } from '../metrics/metrics.js';

/** Upper ends of the buckets of latencies, in milliseconds. A last bucket without an end has longer ones. */
export const LATENCY_BUCKETS_MS: readonly number[] = SECONDS_BUCKETS.map((seconds) => seconds * 1_000);

/** Latencies in milliseconds; null when nothing was delivered. */
export interface LatencyPercentiles {
  readonly p50: number | null;
  readonly p95: number | null;
  readonly p99: number | null;
}

/**
 * Estimates percentiles from counts by bucket, as Prometheus does: evenly within a bucket.
 *
 * @param counts one for each of {@link LATENCY_BUCKETS_MS}, and one for longer latencies, which count as the last end
 */
export function estimatePercentiles(counts: readonly number[]): LatencyPercentiles {
  const total = counts.reduce((sum, count) => sum + count, 0);
  const find = (share: number): number | null => {
    let rank = share * total;
    for (const [index, count] of counts.entries()) {
      const [from, to] = [LATENCY_BUCKETS_MS[index - 1] ?? 0, LATENCY_BUCKETS_MS[index]];
      if (to === undefined) return from;
      if (count > 0 && rank <= count) return round(from + ((to - from) * rank) / count);
      rank -= count;
    }
    return null;
  };
  if (total === 0) return { p50: null, p95: null, p99: null };
  return { p50: find(0.5), p95: find(0.95), p99: find(0.99) };
}

/** Adds up counts by bucket. */
export function addCounts(all: readonly (readonly number[])[]): number[] {
  return Array.from({ length: LATENCY_BUCKETS_MS.length + 1 }, (_, index) =>
    all.reduce((sum, counts) => sum + (counts[index] ?? 0), 0),
  );
}

function round(ms: number): number {
  return Math.round(ms * 10) / 10;
}
