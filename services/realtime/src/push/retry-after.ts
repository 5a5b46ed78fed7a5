const MAX_RETRY_AFTER_MS = 3_600_000;

/**
 * Reads `Retry-After`: seconds, or a date (RFC 9110, 10.2.3).
 *
 * @returns milliseconds, an hour at most; undefined for neither
 */
export function parseRetryAfter(header: string | null): number | undefined {
  if (header === null) return undefined;
  const ms = /^\d+$/.test(header) ? Number(header) * 1_000 : Date.parse(header) - Date.now();
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(ms, 0), MAX_RETRY_AFTER_MS);
}
