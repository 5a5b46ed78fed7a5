import type {
  Config,
  FairScheduler,
  Health,
  LimitHitReporter,
  Logger,
  Metrics,
  RateLimits,
  Tracer,
} from '@messagebox/shared';
import {
  admitRequests,
  cors,
  createErrorHandler,
  createHealthRoutes,
  getRequestAddress,
  handleNotFound,
  limitInFlightRequests,
  logRequests,
  measureRequests,
  scheduleFairly,
  traceRequests,
  traceStep,
} from '@messagebox/shared';
import express, { type Express, type Router } from 'express';
import type { OverlayEngine } from '../engine/overlay-engine.js';
import { BoundedResponder } from './bounded-responder.js';
import { createDevelopmentRoutes, type DevelopmentChain } from './development-routes.js';
import { createDocumentationRoutes } from './documentation-routes.js';
import { lookupRoute } from './lookup-route.js';
import { readRawBody } from './request-body.js';
import { submitRoute } from './submit-route.js';
import { createSyncRoutes } from './sync-routes.js';

export interface OverlayRoutesOptions {
  readonly config: Pick<Config, 'network' | 'limits'>;
  readonly engine: OverlayEngine;
  readonly rates: RateLimits;
  /** The play chain and its faucet. Served on network `local` only. */
  readonly development?: DevelopmentChain | undefined;
}

export interface OverlayAppOptions extends OverlayRoutesOptions {
  readonly config: Pick<Config, 'network' | 'limits' | 'trustedProxies'>;
  readonly log: Logger;
  readonly health: Health;
  readonly metrics: Metrics;
  readonly tracer: Tracer;
  readonly limitsHit: LimitHitReporter;
  readonly scheduler: FairScheduler;
}

const RESPONDER_LIMITS = { maxConcurrent: 8, receiveTimeoutMs: 30_000, bytesPerRequest: 4_096 };
const MAX_BEEF_BODY_BYTES = 1_048_576;
const MAX_JSON_BODY_BYTES = 65_536;
/** Wallets of developers give a transaction with all its ancestors to the play chain: base64 of up to 6 MB. */
const MAX_DEVELOPMENT_BODY_BYTES = 8_388_608;

/** Creates the overlay's HTTP application for a server of its own. No route needs authentication; all have limits. */
export function createOverlayApp(options: OverlayAppOptions): Express {
  const { config, log } = options;
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('trust proxy', config.trustedProxies);
  app.use(logRequests(log));
  app.use(measureRequests(options.metrics));
  app.use(cors);
  app.use(createHealthRoutes(options.health));
  app.use(traceRequests(options.tracer));
  app.use(
    limitInFlightRequests(
      {
        ...config.limits.overlay.inFlight,
        maxBodyBytes: config.network === 'local' ? MAX_DEVELOPMENT_BODY_BYTES : MAX_BEEF_BODY_BYTES,
      },
      options.limitsHit.report,
    ),
  );
  app.use(traceStep(options.tracer, 'wait for turn', scheduleFairly(options.scheduler)));
  app.use(createOverlayRoutes(options));
  app.use(handleNotFound);
  app.use(createErrorHandler(log, options.limitsHit.count));
  return app;
}

/** Creates the routes alone, for a server with other routes. Other paths are passed on. */
export function createOverlayRoutes({ config, engine, development, rates }: OverlayRoutesOptions): Router {
  const limits = config.limits.overlay;
  // A submission can cost the verification of scripts, and its transaction is stored for weeks.
  const submissions = rates.open('overlay_submissions', limits.submissions);
  const questions = rates.open('overlay_requests', limits.requests);
  const mayAsk = admitRequests((request) => questions.admit(getRequestAddress(request)));
  const responder = new BoundedResponder({ ...RESPONDER_LIMITS, maxHeldBytes: limits.answerBytes }, questions);
  const json = readRawBody(MAX_JSON_BODY_BYTES);
  const beef = readRawBody(MAX_BEEF_BODY_BYTES);

  const routes = express.Router();
  const maySubmit = admitRequests((request) => submissions.admit(getRequestAddress(request)));
  routes.post('/submit', maySubmit, beef, submitRoute(engine));
  routes.post('/lookup', mayAsk, json, lookupRoute(engine, responder));
  routes.use(createDocumentationRoutes(engine, mayAsk));
  routes.use(createSyncRoutes(engine, responder, [mayAsk, json]));
  if (config.network === 'local' && development !== undefined) {
    routes.use(createDevelopmentRoutes(development, [mayAsk, readRawBody(MAX_DEVELOPMENT_BODY_BYTES)]));
  }
  return routes;
}
