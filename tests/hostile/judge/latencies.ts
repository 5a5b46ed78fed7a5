import type { Kind, Sample } from '../honest/sample.ts';

/** How the honest client fared under attack, as multiples of how it fares in quiet. */
export interface Slowdown {
  readonly p50: number;
  readonly p99: number;
  /** The kind of operation that was slowed down most, by its median. */
  readonly worst: Kind | undefined;
}

/** Below a millisecond the clock, and not the server, is what is measured. */
const LEAST_MS = 1;

/**
 * Each operation counts in units of the quiet median of its kind, so that all kinds can be looked at together: with some
 * hundred operations in a run, no kind by itself has a 99th percentile.
 */
export function slowdown(quiet: readonly Sample[], attacked: readonly Sample[]): Slowdown {
  const medians = new Map<Kind, number>();
  for (const [kind, samples] of byKind(quiet)) medians.set(kind, Math.max(LEAST_MS, percentile(samples.map(took), 50)));
  const inUnits = (samples: readonly Sample[]) =>
    samples.flatMap((sample) => {
      const unit = medians.get(sample.kind);
      return unit === undefined ? [] : [took(sample) / unit];
    });
  const [usual, now] = [inUnits(quiet), inUnits(attacked)];
  let worst: Kind | undefined;
  let most = 0;
  for (const [kind, samples] of byKind(attacked)) {
    const times = percentile(samples.map(took), 50) / (medians.get(kind) ?? Number.POSITIVE_INFINITY);
    if (times > most) [most, worst] = [times, kind];
  }
  return {
    p50: percentile(now, 50) / percentile(usual, 50),
    p99: percentile(now, 99) / percentile(usual, 99),
    worst,
  };
}

/** Milliseconds; infinite when it never succeeded. */
export function took({ at, endedAt, succeeded }: Sample): number {
  return succeeded ? endedAt - at : Number.POSITIVE_INFINITY;
}

/** The nearest rank; NaN of nothing. */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)] ?? Number.NaN;
}

function byKind(samples: readonly Sample[]): Map<Kind, Sample[]> {
  const kinds = new Map<Kind, Sample[]>();
  for (const sample of samples) {
    const others = kinds.get(sample.kind);
    if (others === undefined) kinds.set(sample.kind, [sample]);
    else others.push(sample);
  }
  return kinds;
}
