import {
  type JobHandler,
  type JobHandlers,
  type JsonValue,
  type OverlayJobName,
  overlayJob,
  RetryJobError,
} from '@messagebox/shared';
import type { Advertiser } from './advertising/advertiser.js';
import type { Tidied } from './engine/tidy.js';
import type { PeerSync } from './gasp/synchronise.js';

/** How soon a job that another configuration is to do is looked at again. */
const ELSEWHERE_MS = 2_000;

export interface OverlayJobsParts {
  readonly advertiser: Advertiser;
  readonly synchronise: (signal: AbortSignal) => Promise<PeerSync[]>;
  readonly tidy: (signal: AbortSignal) => Promise<Tidied>;
}

/** What the worker does for each job. All of them do no harm twice. */
export function overlayHandlers({ advertiser, synchronise, tidy }: OverlayJobsParts): JobHandlers {
  const { reconciler, own } = advertiser;
  const handlers: Record<OverlayJobName, JobHandler> = {
    [overlayJob.advertise]: async ({ addedAt }) => {
      await own.decide(true, addedAt);
      return asJson(await reconciler.reconcile());
    },
    [overlayJob.revoke]: async ({ addedAt }) => {
      await own.decide(false, addedAt);
      return asJson(await reconciler.reconcile());
    },
    [overlayJob.rebroadcast]: async () => asJson(await reconciler.reconcile(true)),
    [overlayJob.reconcile]: async ({ data }) => {
      // Asked for by an instance that has just started: one that still has the configuration from before must not answer.
      const { origin } = data;
      if (origin !== undefined && origin !== originData(advertiser).origin) {
        throw new RetryJobError('This is for an instance with another HOSTING_DOMAIN.', { afterMs: ELSEWHERE_MS });
      }
      return asJson(await reconciler.reconcile());
    },
    [overlayJob.sync]: async ({ signal }) => asJson(await synchronise(signal)),
    [overlayJob.tidy]: async ({ signal }) => asJson(await tidy(signal)),
  };
  return handlers;
}

/** Data of a reconcile job that only an instance with this configuration does. */
export function originData({ origin }: Advertiser): { readonly origin: string } {
  return { origin: origin ?? '' };
}

/** Results are shown to operators. */
function asJson(value: unknown): JsonValue {
  return JSON.parse(JSON.stringify(value));
}
