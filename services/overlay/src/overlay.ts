import {
  type Config,
  type FairScheduler,
  type Health,
  hostingUrl,
  type JobQueue,
  type LimitsHit,
  type Logger,
  type Metrics,
  overlayJob,
  type RateLimits,
  RuleError,
  type ServerIdentity,
  type SqlClient,
} from '@messagebox/shared';
import { answerChainCall, answerFaucet, type LocalChain, LocalChainError, type Money } from '@messagebox/wallet';
import type { Express, Router } from 'express';
import { type Advertiser, createAdvertiser } from './advertising/advertiser.js';
import type { ReconcileParts } from './advertising/reconcile.js';
import { createOverlayEngine } from './engine/create-engine.js';
import { makeRoom } from './engine/make-room.js';
import { OverlaySize } from './engine/overlay-size.js';
import { tidy } from './engine/tidy.js';
import { Synchroniser } from './gasp/synchronise.js';
import type { Development } from './http/development.js';
import { createOverlayApp, type OverlayRouteParts, overlayRoutes } from './http/overlay-app.js';
import { PublicFetch } from './net/public-fetch.js';
import { reasonOf } from './net/reason-of.js';
import { slapTrackers } from './net/slap-trackers.js';
import { originData, overlayHandlers } from './overlay-jobs.js';

export interface OverlayParts {
  readonly config: Config;
  readonly log: Logger;
  readonly health: Health;
  readonly metrics: Metrics;
  readonly limitsHit: LimitsHit;
  readonly rates: RateLimits;
  readonly scheduler: FairScheduler;
  readonly sql: SqlClient;
  readonly money: Money;
  readonly jobs: JobQueue;
  readonly identity: ServerIdentity;
  /** For tests: see `ReconcileParts`. */
  readonly onStep?: ReconcileParts['onStep'];
}

/** Reconciling waits for its lock, and a sync takes long; neither is to hold up the other. */
const CONCURRENCY = 4;
const SCHEDULE_AGAIN_MS = 2_000;
const TIDY_MS = 15 * 60_000;

/**
 * The overlay without its process: the whole wiring. Topics and lookup services with their HTTP face, and the worker
 * that keeps this host advertised and learns from other hosts.
 */
export class Overlay {
  readonly #parts: OverlayParts;
  readonly #routeParts: OverlayRouteParts;
  readonly #advertiser: Advertiser;
  readonly #fetch: PublicFetch;
  readonly #storage;
  #scheduling: NodeJS.Timeout | undefined;
  #isClosed = false;
  readonly #size: OverlaySize;

  constructor(parts: OverlayParts) {
    const { config, sql, log, metrics, money } = parts;
    this.#parts = parts;
    this.#fetch = new PublicFetch(config.network);
    this.#size = new OverlaySize(sql, metrics, log);
    const { engine, storage } = createOverlayEngine({
      sql,
      network: config.network,
      verifier: money.overlayVerifier,
      log,
      metrics,
      isFull: this.#size.isFull,
      share: this.#size.share,
      ...(config.network === 'local' ? { proofAtOnce: (txid: string) => money.chain.proof(txid) } : {}),
    });
    this.#storage = storage;
    this.#size.onCrowded(() => makeRoom(engine, storage));
    const { identityKey } = parts.identity.authenticator;
    this.#advertiser = createAdvertiser({ ...parts, engine, identityKey, fetch: this.#fetch });
    const development = config.network === 'local' ? developmentOn(money) : undefined;
    this.#routeParts = { config, engine, development, rates: parts.rates };
  }

  /** For a server of its own. */
  app(): Express {
    return createOverlayApp({ ...this.#parts, ...this.#routeParts, config: this.#parts.config });
  }

  /** For a server that has other routes as well. */
  routes(): Router {
    return overlayRoutes(this.#routeParts);
  }

  /**
   * Starts the worker and its schedules, and compares at once what is advertised with what should be. While the broker is
   * away that waits, and the rest is served.
   */
  async start(): Promise<void> {
    const { config, jobs, sql, log, metrics } = this.#parts;
    const { engine } = this.#routeParts;
    const { network, overlay } = config;
    const self = hostingUrl(config.hostingDomain);
    const synchroniser = new Synchroniser({
      engine,
      storage: this.#storage,
      sql,
      fetch: this.#fetch,
      network,
      peers: overlay.peers,
      trackers: slapTrackers(network, overlay.slapTrackers),
      self: self === undefined ? [] : [self.origin],
      log,
      metrics,
    });
    const handlers = overlayHandlers({
      advertiser: this.#advertiser,
      synchronise: (signal) => synchroniser.run(signal),
      tidy: (signal) => tidy({ engine, storage: this.#storage, chain: this.#parts.money.chain, log, signal }),
    });
    jobs.work(handlers, { concurrency: CONCURRENCY });
    await this.#schedule();
  }

  /** Asking again for what is there already changes nothing. */
  async #schedule(): Promise<void> {
    const { config, jobs, log } = this.#parts;
    const { reconcileMs, syncMs } = config.overlay;
    try {
      await jobs.repeat(overlayJob.reconcile, reconcileMs, { first: 'later' });
      await jobs.repeat(overlayJob.sync, syncMs);
      await jobs.repeat(overlayJob.tidy, TIDY_MS, { first: 'later' });
      await jobs.add(overlayJob.reconcile, originData(this.#advertiser));
    } catch (error) {
      if (this.#isClosed) return;
      log.warn({ reason: reasonOf(error) }, 'the overlay’s jobs can not be scheduled yet');
      this.#scheduling = setTimeout(() => void this.#schedule(), SCHEDULE_AGAIN_MS);
      this.#scheduling.unref();
    }
  }

  /** Ends its connections to other hosts, and its counting. The worker ends with its queue. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#scheduling);
    await this.#advertiser.close();
    await this.#size.close();
    await this.#fetch.close();
  }
}

function developmentOn({ chain }: Money): Development {
  const answer = async (work: (local: LocalChain) => Promise<unknown>) => {
    try {
      return await work(await chain.local());
    } catch (error) {
      if (error instanceof LocalChainError) throw new RuleError('ERR_INVALID_QUERY', error.message);
      throw error;
    }
  };
  return {
    chain: (method, args) => answer((local) => answerChainCall(local, method, args)),
    fund: (request) => answer((local) => answerFaucet(local, request)),
  };
}
