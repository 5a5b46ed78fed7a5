import { createAuthMiddleware } from '@messagebox/brc103';
import {
  type Config,
  type Health,
  type JobQueue,
  type Logger,
  type MessageStore,
  type Metrics,
  OwnAdvertisements,
  type RoomEventPublisher,
  rateLimit,
  type ServerIdentity,
  type SqlClient,
} from '@messagebox/shared';
import {
  admit,
  answerErrors,
  answerNotFound,
  boundInFlight,
  cors,
  healthRoutes,
  measure,
  requestLog,
} from '@messagebox/web';
import express, { type Express } from 'express';
import { adminOnly } from './http/admin-only.js';
import { acknowledgeMessageRoute } from './routes/acknowledge-message.js';
import { listMessagesRoute } from './routes/list-messages.js';
import { migrateRoute } from './routes/migrate.js';
import { addOverlayRoutes } from './routes/overlay/index.js';
import { sendMessageRoute } from './routes/send-message.js';

export interface ApiParts {
  readonly config: Config;
  readonly log: Logger;
  readonly store: MessageStore;
  /** The same database, for what is no message. */
  readonly sql: SqlClient;
  /** The overlay's queue. */
  readonly jobs: JobQueue;
  readonly identity: ServerIdentity;
  readonly events: RoomEventPublisher;
  readonly health: Health;
  readonly metrics: Metrics;
}

/** Protects the process, not etiquette: a whole office may stand behind one address. */
const LIMITS = {
  handshakes: { burst: 3_000, seconds: 3 },
  requests: { burst: 10_000, seconds: 10 },
  migrations: { burst: 10, seconds: 60 },
  inFlight: { requests: 2_000, bodyBytes: 536_870_912 },
};

/** The api without its process: the whole wiring of the HTTP routes. */
export function createApi(parts: ApiParts): Express {
  const { config, log, store } = parts;
  const auth = createAuthMiddleware({
    authenticator: parts.identity.authenticator,
    maxBodyBytes: config.limits.requestBody,
    claimRequest: (claim) => store.claimRequest(claim),
    onOutcome: (outcome) => parts.metrics.authOutcomes.inc({ transport: 'http', outcome }),
  });
  const handshakes = rateLimit(LIMITS.handshakes.burst, LIMITS.handshakes.seconds);
  const requests = rateLimit(LIMITS.requests.burst, LIMITS.requests.seconds);

  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('trust proxy', config.trustedProxies);
  app.use(requestLog(log));
  app.use(measure(parts.metrics));
  app.use(cors);
  app.use('/health', healthRoutes(parts.health));
  app.use(boundInFlight({ ...LIMITS.inFlight, largestBody: config.limits.requestBody }));
  app.post(
    '/.well-known/auth',
    admit((request) => handshakes.admit(request.ip ?? '')),
    auth.handshake,
  );

  const prefix = config.routingPrefix === '' ? '/' : config.routingPrefix;
  const attempts = rateLimit(LIMITS.migrations.burst, LIMITS.migrations.seconds);
  app.use(prefix, migrateRoute({ store, key: config.migrateKey, attempts, log }));

  const routes = express.Router();
  routes.use(auth.authenticate);
  routes.use(admit((request) => requests.admit(request.auth?.identityKey ?? '')));
  routes.post(
    '/sendMessage',
    sendMessageRoute({ store, events: parts.events, normaliseKey: parts.identity.normaliseKey }),
  );
  routes.post('/listMessages', listMessagesRoute({ store, maxBytes: config.limits.list }));
  routes.post('/acknowledgeMessage', acknowledgeMessageRoute({ store }));
  addOverlayRoutes(routes, {
    admin: adminOnly(config.adminIdentityKeys),
    jobs: parts.jobs,
    ads: new OwnAdvertisements(parts.sql),
  });
  app.use(prefix, routes);

  app.use(answerNotFound);
  app.use(answerErrors(log));
  return app;
}
