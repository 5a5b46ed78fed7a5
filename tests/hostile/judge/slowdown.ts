import type { Kind, Sample } from '../honest/sample.ts';

/** How the honest client fared under attack, as multiples of how it fares in quiet. */
export interface Slowdown {
  readonly p50: number;
  readonly p99: number;
  /** The kind of operation that was slowed down most, by its median. */
  readonly worst: Kind | undefined;
}

/** Below a millisecond the clock, and not the server, is what is measured. */
const MIN_LATENCY_MS = 1;

/**
 * Each operation counts in units of the quiet median of its kind, so that all kinds can be looked at together: with some
 * hundred operations in a run, no kind by itself has a 99th percentile.
 */
export function computeSlowdown(quiet: readonly Sample[], attacked: readonly Sample[]): Slowdown {
  const medians = new Map<Kind, number>();
  for (const [kind, samples] of groupByKind(quiet))
    medians.set(kind, Math.max(MIN_LATENCY_MS, computePercentile(samples.map(getLatency), 50)));
  const inUnits = (samples: readonly Sample[]) =>
    samples.flatMap((sample) => {
      const unit = medians.get(sample.kind);
      return unit === undefined ? [] : [getLatency(sample) / unit];
    });
  const [usual, now] = [inUnits(quiet), inUnits(attacked)];
  let worst: Kind | undefined;
  let most = 0;
  for (const [kind, samples] of groupByKind(attacked)) {
    const times = computePercentile(samples.map(getLatency), 50) / (medians.get(kind) ?? Number.POSITIVE_INFINITY);
    if (times > most) [most, worst] = [times, kind];
  }
  return {
    p50: computePercentile(now, 50) / computePercentile(usual, 50),
    p99: computePercentile(now, 99) / computePercentile(usual, 99),
    worst,
  };
}

/** Milliseconds; infinite when it never succeeded. */
export function getLatency({ at, endedAt, succeeded }: Sample): number {
  return succeeded ? endedAt - at : Number.POSITIVE_INFINITY;
}

/** The nearest rank; NaN of nothing. */
export function computePercentile(values: readonly number[], percent: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)] ?? Number.NaN;
}

function groupByKind(samples: readonly Sample[]): Map<Kind, Sample[]> {
  const kinds = new Map<Kind, Sample[]>();
  for (const sample of samples) {
    const others = kinds.get(sample.kind);
    if (others === undefined) kinds.set(sample.kind, [sample]);
    else others.push(sample);
  }
  return kinds;
}
