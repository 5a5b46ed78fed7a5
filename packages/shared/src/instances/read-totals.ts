import type { Metrics } from '../metrics/metrics.js';
import { LATENCY_BUCKETS_MS } from './latency-histogram.js';

/** What a process has counted since its start. */
export interface Totals {
  readonly stored: number;
  readonly acknowledged: number;
  readonly requests: number;
  readonly pushes: number;
  /** Live deliveries by latency, one number for each bucket. */
  readonly latencyCounts: readonly number[];
  readonly limitsHit: Readonly<Record<string, number>>;
  /** Open sockets, now. */
  readonly sockets: number;
}

/** Reads the metrics of this process. */
export async function readTotals(metrics: Metrics): Promise<Totals> {
  const [messages, pushes, limits, latency, http] = await Promise.all([
    metrics.messages.get(),
    metrics.pushes.get(),
    metrics.limitsHit.get(),
    metrics.deliveryLatency.get(),
    metrics.httpDuration.get(),
  ]);
  // Only a process that serves sockets has this gauge.
  const sockets = await metrics.registry.getSingleMetric('messagebox_sockets')?.get();
  const sum = (values: readonly { value: number }[]) => values.reduce((total, { value }) => total + value, 0);
  const ofOutcome = (values: readonly { labels: { outcome?: unknown }; value: number }[], outcome: string) =>
    sum(values.filter(({ labels }) => labels.outcome === outcome));
  return {
    stored: ofOutcome(messages.values, 'stored'),
    acknowledged: ofOutcome(messages.values, 'acknowledged'),
    requests: sum(http.values.filter(({ metricName }) => metricName?.endsWith('_count'))),
    pushes: ofOutcome(pushes.values, 'sent'),
    latencyCounts: toCounts(latency.values),
    limitsHit: Object.fromEntries(limits.values.map(({ labels, value }) => [String(labels.limit), value])),
    sockets: sum(sockets?.values ?? []),
  };
}

interface BucketValue {
  readonly labels: { readonly le?: string | number };
  readonly value: number;
  readonly metricName?: string;
}

/** Prometheus counts in each bucket what is in the smaller ones as well. */
function toCounts(values: readonly BucketValue[]): number[] {
  const upTo = new Map(
    values.filter(({ metricName }) => metricName?.endsWith('_bucket')).map(({ labels, value }) => [labels.le, value]),
  );
  let before = 0;
  return [...LATENCY_BUCKETS_MS.map((ms) => ms / 1_000), '+Inf'].map((end) => {
    const value = upTo.get(end) ?? before;
    const count = value - before;
    before = value;
    return count;
  });
}
