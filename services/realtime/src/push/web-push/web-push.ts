import { FetchError, type PublicFetch, parseUrl } from '@messagebox/shared';
import type { Push, PushOutcome, PushSender } from '../push-outcome.js';
import { parseRetryAfter } from '../retry-after.js';
import { createPushRequest, type VapidIdentity } from './create-request.js';
import { HostPauses } from './host-pauses.js';
import { SendBudget } from './send-budget.js';
import { toWebPushOutcome } from './web-push-response.js';

const SEND_TIMEOUT_MS = 10_000;

/**
 * Web Push: pushes to browsers (RFC 8030), encrypted (RFC 8291) and signed (RFC 8292) by the library `web-push`. The requests
 * go through `PublicFetch`, because strangers choose the endpoints: only to public addresses, without redirects, in bounded
 * time. The body of an answer is not read.
 */
export class WebPush implements PushSender {
  readonly #budget = new SendBudget();
  readonly #pauses = new HostPauses();

  constructor(
    private readonly vapid: VapidIdentity,
    private readonly fetch: PublicFetch,
  ) {}

  /** Hosts ask for pauses, each for itself. */
  getPauseMs(): number {
    return 0;
  }

  async send(push: Push, signal: AbortSignal): Promise<PushOutcome> {
    const url = parseUrl(push.token);
    if (url === undefined || push.webPushKeys === undefined) {
      return { kind: 'dead_token', reason: 'the registration has no subscription' };
    }
    const pauseMs = this.#pauses.getRemainingMs(url);
    if (pauseMs > 0 && this.#pauses.isGivenUp(url)) {
      return { kind: 'refused', reason: `${url.host} has failed too often`, fault: 'device' };
    }
    if (pauseMs > 0) return { kind: 'deferred', afterMs: pauseMs };
    const admission = this.#budget.admit(url, push.recipient);
    if ('afterMs' in admission) return { kind: 'deferred', afterMs: admission.afterMs };
    try {
      const request = await createPushRequest(push, push.webPushKeys, this.vapid);
      const { status, getHeader } = await this.fetch.request(url.href, {
        method: 'POST',
        ...request,
        ignoresBody: true,
        timeoutMs: SEND_TIMEOUT_MS,
        signal,
      });
      const outcome = toWebPushOutcome(url.host, status, parseRetryAfter(getHeader('retry-after')));
      this.#pauses.record(url, status, outcome);
      return outcome;
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof FetchError)) throw error;
      const reason = `${url.host} can't be reached: ${error.message}`;
      const outcome = { kind: 'later', reason, afterMs: 0, fault: 'device' } as const;
      this.#pauses.record(url, undefined, outcome);
      return outcome;
    } finally {
      admission.release();
    }
  }
}
