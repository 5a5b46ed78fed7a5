import { LRUCache } from 'lru-cache';
import type { PushOutcome } from '../push-outcome.js';
import { ThrottleGate } from '../throttle-gate.js';
import { isKnownPushService } from './send-budget.js';

const MIN_BACKOFF_MS = 1_000;
const MAX_BACKOFF_MS = 300_000;
/** So many failures in a row, with the pauses between them, take about eight minutes. */
const GIVE_UP_FAILURES = 9;
const MAX_REMEMBERED = 10_000;

interface HostState {
  readonly gate: ThrottleGate;
  /** Answers in a row that were no success. */
  failures: number;
}

/**
 * Which hosts are left alone for a while. A host that asks for a pause gets it. A host that is not a push service of a common
 * browser also gets one that grows with each failure in a row, so that nobody can make this server knock at the door of
 * somebody else. A pause of one host never delays pushes to another.
 */
export class HostPauses {
  readonly #hosts = new LRUCache<string, HostState>({ max: MAX_REMEMBERED });

  /** Milliseconds until pushes to this host may be tried again; 0 or less: now. */
  getRemainingMs({ host }: URL): number {
    return this.#hosts.get(host)?.gate.getRemainingMs() ?? 0;
  }

  /**
   * Whether the host has failed so often that nobody waits for it any more: for about eight minutes, in nine attempts. Pushes
   * of a common browser's service are never given up so.
   */
  isGivenUp({ host, hostname }: URL): boolean {
    return !isKnownPushService(hostname) && (this.#hosts.get(host)?.failures ?? 0) >= GIVE_UP_FAILURES;
  }

  /** @param status of the answer; undefined when none came */
  record(url: URL, status: number | undefined, outcome: PushOutcome): void {
    const state = this.#hosts.get(url.host) ?? { gate: new ThrottleGate(), failures: 0 };
    this.#hosts.set(url.host, state);
    if (outcome.kind === 'sent') {
      state.failures = 0;
      state.gate.recordSuccess();
      return;
    }
    state.failures += 1;
    const isKnown = isKnownPushService(url.hostname);
    if (!isKnown) state.gate.block(Math.min(MIN_BACKOFF_MS * 2 ** (state.failures - 1), MAX_BACKOFF_MS));
    if (outcome.kind !== 'later') return;
    // Only one subscription may have had too many pushes.
    if (status === 429) state.gate.recordThrottled(url.href, outcome.afterMs);
    else state.gate.block(outcome.afterMs);
  }
}
