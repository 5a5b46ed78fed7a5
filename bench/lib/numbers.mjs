/** Returns the median. @param {readonly number[]} values */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Returns p50, p95 and p99 by nearest rank. @param {readonly number[]} values */
export function percentiles(values) {
  const sorted = Float64Array.from(values).sort();
  const at = (/** @type {number} */ p) => sorted[Math.max(0, Math.ceil(sorted.length * p) - 1)] ?? Number.NaN;
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99) };
}

/**
 * Returns the median of each property over several rounds.
 *
 * @template {string} Name
 * @param {readonly Record<Name, number>[]} rounds
 * @param {readonly Name[]} names
 * @returns {Record<Name, number>}
 */
export function medians(rounds, names) {
  return /** @type {Record<Name, number>} */ (
    Object.fromEntries(names.map((name) => [name, median(rounds.map((round) => round[name]))]))
  );
}

/** Returns the least and the greatest ratio of rounds that were measured alternately. */
export function ratioRange(
  /** @type {readonly {cpuMs: number}[]} */ rounds,
  /** @type {readonly {cpuMs: number}[]} */ others,
) {
  const ratios = rounds.map(({ cpuMs }, i) => cpuMs / others[i].cpuMs);
  return { least: Math.min(...ratios), greatest: Math.max(...ratios) };
}

/** Returns the least-squares slope of y over x. @param {readonly {x: number, y: number}[]} points */
export function slope(points) {
  const meanX = points.reduce((sum, { x }) => sum + x, 0) / points.length;
  const meanY = points.reduce((sum, { y }) => sum + y, 0) / points.length;
  const top = points.reduce((sum, { x, y }) => sum + (x - meanX) * (y - meanY), 0);
  const bottom = points.reduce((sum, { x }) => sum + (x - meanX) ** 2, 0);
  return bottom === 0 ? 0 : top / bottom;
}
