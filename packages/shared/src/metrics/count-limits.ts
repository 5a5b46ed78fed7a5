import type { Metrics } from './metrics.js';

/** Counts each limit that is met, by its name. */
export function countLimits({ limitsHit }: Pick<Metrics, 'limitsHit'>): (limit: string) => void {
  return (limit) => limitsHit.inc({ limit });
}
