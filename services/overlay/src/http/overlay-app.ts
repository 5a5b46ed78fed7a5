import type { Config, FairScheduler, Health, LimitsHit, Logger, Metrics, RateLimits } from '@messagebox/shared';
import {
  addressOf,
  admit,
  answerErrors,
  answerNotFound,
  boundInFlight,
  cors,
  healthRoutes,
  measure,
  requestLog,
  scheduleFairly,
} from '@messagebox/web';
import express, { type Express, type Router } from 'express';
import type { OverlayEngine } from '../engine/overlay-engine.js';
import { Answers } from './answers.js';
import { rawBody } from './body.js';
import { type Development, developmentRoutes } from './development.js';
import { documentationRoutes } from './documentation.js';
import { lookupRoute } from './lookup.js';
import { submitRoute } from './submit.js';
import { syncRoutes } from './sync-routes.js';

export interface OverlayRouteParts {
  readonly config: Pick<Config, 'network' | 'limits'>;
  readonly engine: OverlayEngine;
  readonly rates: RateLimits;
  /** The play chain and its faucet. Served on network `local` only. */
  readonly development?: Development | undefined;
}

export interface OverlayAppParts extends OverlayRouteParts {
  readonly config: Pick<Config, 'network' | 'limits' | 'trustedProxies'>;
  readonly log: Logger;
  readonly health: Health;
  readonly metrics: Metrics;
  readonly limitsHit: LimitsHit;
  readonly scheduler: FairScheduler;
}

const ANSWERS = { atOnce: 8, takenWithinMs: 30_000, bytesOfOne: 4_096 };
const BEEF_BYTES = 1_048_576;
const JSON_BYTES = 65_536;

/** The overlay's HTTP face without its process: the whole wiring. Nothing here is authenticated, all is bounded. */
export function createOverlayApp(parts: OverlayAppParts): Express {
  const { config, log } = parts;
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('trust proxy', config.trustedProxies);
  app.use(requestLog(log));
  app.use(measure(parts.metrics));
  app.use(cors);
  app.use('/health', healthRoutes(parts.health));
  app.use(boundInFlight({ ...config.limits.overlay.inFlight, largestBody: BEEF_BYTES }, parts.limitsHit.hit));
  app.use(scheduleFairly(parts.scheduler));
  app.use(overlayRoutes(parts));
  app.use(answerNotFound);
  app.use(answerErrors(log, parts.limitsHit.count));
  return app;
}

/** The routes alone, for a server that has others as well. They answer no path but their own. */
export function overlayRoutes({ config, engine, development, rates }: OverlayRouteParts): Router {
  const limits = config.limits.overlay;
  // Each may cost the verifying of scripts, and is kept for weeks.
  const submissions = rates.open('overlay_submissions', limits.submissions);
  const questions = rates.open('overlay_requests', limits.requests);
  const mayAsk = admit((request) => questions.admit(addressOf(request)));
  const answers = new Answers({ ...ANSWERS, heldBytes: limits.answerBytes }, questions);
  const json = rawBody(JSON_BYTES);
  const beef = rawBody(BEEF_BYTES);

  const routes = express.Router();
  const maySubmit = admit((request) => submissions.admit(addressOf(request)));
  routes.post('/submit', maySubmit, beef, submitRoute(engine));
  routes.post('/lookup', mayAsk, json, lookupRoute(engine, answers));
  routes.use(documentationRoutes(engine, mayAsk));
  routes.use(syncRoutes(engine, answers, [mayAsk, json]));
  if (config.network === 'local' && development !== undefined) {
    routes.use(developmentRoutes(development, [mayAsk, beef]));
  }
  return routes;
}
