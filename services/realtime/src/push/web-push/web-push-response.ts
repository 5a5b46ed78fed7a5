import type { PushOutcome } from '../push-outcome.js';

/** Pause after a 429 without `Retry-After`. */
const DEFAULT_THROTTLE_MS = 60_000;

/**
 * What the answer of a push service means (RFC 8030, 5 and 7.3).
 *
 * @param host for the reason: the path of the endpoint is secret
 * @param retryAfterMs undefined without a valid `Retry-After`
 */
export function toWebPushOutcome(host: string, status: number, retryAfterMs: number | undefined): PushOutcome {
  if (status >= 200 && status < 300) return { kind: 'sent' };
  const reason = `${host} answered ${status}`;
  if (status === 404 || status === 410) return { kind: 'dead_token', reason };
  // Anybody can register an endpoint that answers so. A job that failed would call for an operator.
  if (status === 429) return { kind: 'later', reason, afterMs: retryAfterMs ?? DEFAULT_THROTTLE_MS, fault: 'device' };
  if (status >= 500) return { kind: 'later', reason, afterMs: retryAfterMs ?? 0, fault: 'device' };
  return { kind: 'refused', reason, fault: 'device' };
}
