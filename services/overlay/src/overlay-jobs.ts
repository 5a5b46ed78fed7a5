import {
  type JobHandler,
  type JobHandlers,
  type JsonValue,
  type OverlayJobName,
  overlayJobNames,
  RetryJobError,
} from '@messagebox/shared';
import type { Advertiser } from './advertising/advertiser.js';
import type { PruneResult } from './engine/prune-overlay.js';
import type { PeerSyncResult } from './gasp/synchroniser.js';

/** The delay after which a job for another configuration is offered again. */
const RETRY_AFTER_MS = 2_000;

export interface OverlayHandlersOptions {
  readonly advertiser: Advertiser;
  readonly synchronise: (signal: AbortSignal) => Promise<PeerSyncResult[]>;
  readonly prune: (signal: AbortSignal) => Promise<PruneResult>;
}

/** Creates the handlers of the overlay's jobs. All of them can be repeated. */
export function createOverlayHandlers({ advertiser, synchronise, prune }: OverlayHandlersOptions): JobHandlers {
  const { reconciler, ownTransactions } = advertiser;
  const handlers: Record<OverlayJobName, JobHandler> = {
    [overlayJobNames.advertise]: async ({ addedAt }) => {
      await ownTransactions.recordDecision(true, addedAt);
      return toJson(await reconciler.reconcile());
    },
    [overlayJobNames.revoke]: async ({ addedAt }) => {
      await ownTransactions.recordDecision(false, addedAt);
      return toJson(await reconciler.reconcile());
    },
    [overlayJobNames.rebroadcast]: async () => toJson(await reconciler.reconcile(true)),
    [overlayJobNames.reconcile]: async ({ data }) => {
      // A starting instance has added this job. An instance with an older configuration must not run it.
      const { origin } = data;
      if (origin !== undefined && origin !== createReconcileData(advertiser).origin) {
        throw new RetryJobError('The job is for an instance with another HOSTING_DOMAIN.', { afterMs: RETRY_AFTER_MS });
      }
      return toJson(await reconciler.reconcile());
    },
    [overlayJobNames.sync]: async ({ signal }) => toJson(await synchronise(signal)),
    [overlayJobNames.prune]: async ({ signal }) => toJson(await prune(signal)),
  };
  return handlers;
}

/** Creates the data of a reconcile job that only instances with the same configuration run. */
export function createReconcileData({ origin }: Advertiser): { readonly origin: string } {
  return { origin: origin ?? '' };
}

/** Operators are shown the results of jobs. */
function toJson(value: unknown): JsonValue {
  return JSON.parse(JSON.stringify(value));
}
