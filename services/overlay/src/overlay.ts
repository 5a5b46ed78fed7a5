import type { LocalChain } from '@messagebox/devnet';
import { RuleError } from '@messagebox/messages';
import {
  type Config,
  describeError,
  type FairScheduler,
  type Health,
  type JobQueue,
  type LimitHitReporter,
  type Logger,
  type Metrics,
  overlayJobNames,
  PublicFetch,
  parseHostingUrl,
  type RateLimits,
  type ServerIdentity,
  type Tracer,
} from '@messagebox/shared';
import type { SqlClient } from '@messagebox/store';
import type { BsvServices } from '@messagebox/wallet';
import type { Express, Router } from 'express';
import { type Advertiser, createAdvertiser } from './advertising/advertiser.js';
import type { ReconcilerOptions } from './advertising/reconciler.js';
import { createOverlayEngine } from './engine/create-overlay-engine.js';
import { evictLargestSubmitter } from './engine/evict-largest-submitter.js';
import { OverlaySize } from './engine/overlay-size.js';
import { pruneOverlay } from './engine/prune-overlay.js';
import { Synchroniser } from './gasp/synchroniser.js';
import { selectSlapTrackers } from './hosts/select-slap-trackers.js';
import type { DevelopmentChain } from './http/development-routes.js';
import { createOverlayApp, createOverlayRoutes, type OverlayRoutesOptions } from './http/overlay-app.js';
import { createOverlayHandlers, createReconcileData } from './overlay-jobs.js';

export interface OverlayOptions {
  readonly config: Config;
  readonly log: Logger;
  readonly health: Health;
  readonly metrics: Metrics;
  readonly tracer: Tracer;
  readonly limitsHit: LimitHitReporter;
  readonly rates: RateLimits;
  readonly scheduler: FairScheduler;
  readonly sql: SqlClient;
  readonly bsv: BsvServices;
  readonly jobs: JobQueue;
  readonly identity: ServerIdentity;
  /** For tests: see `ReconcilerOptions`. */
  readonly onStep?: ReconcilerOptions['onStep'];
}

/** Jobs at a time. A reconcile job waits for a lock and a sync job takes long, so they must not block each other. */
const CONCURRENCY = 4;
const SCHEDULE_RETRY_AFTER_MS = 2_000;
const PRUNE_INTERVAL_MS = 15 * 60_000;

/**
 * The overlay without its process: topics and lookup services with their HTTP routes, and the worker that keeps this host
 * advertised, synchronises with other hosts and prunes.
 */
export class Overlay {
  readonly #options: OverlayOptions;
  readonly #routesOptions: OverlayRoutesOptions;
  readonly #advertiser: Advertiser;
  readonly #fetch: PublicFetch;
  readonly #storage;
  #scheduling: NodeJS.Timeout | undefined;
  #isClosed = false;
  readonly #size: OverlaySize;

  constructor(options: OverlayOptions) {
    const { config, sql, log, metrics, bsv } = options;
    this.#options = options;
    this.#fetch = new PublicFetch(config.network);
    this.#size = new OverlaySize(sql, metrics, log);
    const { engine, storage } = createOverlayEngine({
      sql,
      network: config.network,
      verifier: bsv.overlayVerifier,
      log,
      metrics,
      isFull: this.#size.isFull,
      share: this.#size.share,
      ...(config.network === 'local' ? { fetchProofNow: (txid: string) => bsv.chain.findProof(txid) } : {}),
    });
    this.#storage = storage;
    this.#size.onCrowded(() => evictLargestSubmitter(engine, storage));
    const { identityKey } = options.identity.authenticator;
    this.#advertiser = createAdvertiser({ ...options, engine, identityKey, fetch: this.#fetch });
    const development = config.network === 'local' ? createDevelopmentChain(bsv) : undefined;
    this.#routesOptions = { config, engine, development, rates: options.rates };
  }

  /** Creates the application for a server of its own. */
  createApp(): Express {
    return createOverlayApp({ ...this.#options, ...this.#routesOptions, config: this.#options.config });
  }

  /** Creates the routes for a server with other routes. */
  createRoutes(): Router {
    return createOverlayRoutes(this.#routesOptions);
  }

  /**
   * Starts the worker and its schedules, and adds a first reconcile job. While the job queue's broker is unavailable,
   * scheduling is retried in the background, and requests are served.
   */
  async start(): Promise<void> {
    const { config, jobs, sql, log, metrics } = this.#options;
    const { engine } = this.#routesOptions;
    const { network, overlay } = config;
    const self = parseHostingUrl(config.hostingDomain);
    const synchroniser = new Synchroniser({
      engine,
      storage: this.#storage,
      sql,
      fetch: this.#fetch,
      network,
      peers: overlay.peers,
      trackers: selectSlapTrackers(network, overlay.slapTrackers),
      self: self === undefined ? [] : [self.origin],
      log,
      metrics,
    });
    const handlers = createOverlayHandlers({
      advertiser: this.#advertiser,
      synchronise: (signal) => synchroniser.run(signal),
      prune: (signal) => pruneOverlay({ engine, storage: this.#storage, chain: this.#options.bsv.chain, log, signal }),
    });
    jobs.work(handlers, { concurrency: CONCURRENCY });
    await this.#schedule();
  }

  /** Can be repeated: existing schedules stay as they are. */
  async #schedule(): Promise<void> {
    const { config, jobs, log } = this.#options;
    const { reconcileMs, syncMs } = config.overlay;
    try {
      await jobs.repeat(overlayJobNames.reconcile, reconcileMs, { first: 'later' });
      await jobs.repeat(overlayJobNames.sync, syncMs);
      await jobs.repeat(overlayJobNames.prune, PRUNE_INTERVAL_MS, { first: 'later' });
      await jobs.add(overlayJobNames.reconcile, createReconcileData(this.#advertiser));
    } catch (error) {
      if (this.#isClosed) return;
      log.warn({ reason: describeError(error) }, 'the overlay’s jobs could not be scheduled yet');
      this.#scheduling = setTimeout(() => void this.#schedule(), SCHEDULE_RETRY_AFTER_MS);
      this.#scheduling.unref();
    }
  }

  /** Closes connections to other hosts, and stops counting. The worker stops when its queue is closed. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#scheduling);
    await this.#advertiser.close();
    await this.#size.close();
    await this.#fetch.close();
  }
}

type Devnet = typeof import('@messagebox/devnet');

function createDevelopmentChain({ chain }: BsvServices): DevelopmentChain {
  const answer = async (work: (devnet: Devnet, local: LocalChain) => Promise<unknown>) => {
    // Loaded on the network `local` only.
    const devnet = await import('@messagebox/devnet');
    try {
      return await work(devnet, await chain.getLocalChain());
    } catch (error) {
      if (error instanceof devnet.LocalChainError) throw new RuleError('ERR_INVALID_QUERY', error.message);
      throw error;
    }
  };
  return {
    call: (method, args) => answer((devnet, local) => devnet.answerChainCall(local, method, args)),
    fund: (request) => answer((devnet, local) => devnet.answerFaucet(local, request)),
  };
}
