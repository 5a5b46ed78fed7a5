import { createAuthMiddleware } from '@messagebox/brc103';
import {
  type AdminFeeParts,
  AdvertisedHosts,
  type ChargeParts,
  type Config,
  DeviceRegistrations,
  type FairScheduler,
  type Health,
  type JobQueue,
  type LimitsHit,
  type Logger,
  limitedLines,
  MessageBoxAdvertisements,
  type MessageStore,
  type Metrics,
  OwnAdvertisements,
  ownHosts,
  type PaymentTaker,
  type PermissionStore,
  type PushNotes,
  type RateLimits,
  type RoomEventPublisher,
  type SendRates,
  type ServerIdentity,
  type SqlClient,
  SqlClientNonces,
  type StorageQuotas,
} from '@messagebox/shared';
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
  sourceOf,
} from '@messagebox/web';
import express, { type Express, type Request, type RequestHandler } from 'express';
import { adminOnly } from './http/admin-only.js';
import { AnswerMemory } from './http/answer-memory.js';
import { acknowledgeMessageRoute } from './routes/acknowledge-message.js';
import { getFeesRoute } from './routes/admin/get-fees.js';
import { putFeesRoute } from './routes/admin/put-fees.js';
import { devicesRoute, registerDeviceRoute } from './routes/devices.js';
import { listMessagesRoute } from './routes/list-messages.js';
import { migrateRoute } from './routes/migrate.js';
import { addOverlayRoutes } from './routes/overlay/index.js';
import { getPermissionRoute } from './routes/permissions/get.js';
import { listPermissionsRoute } from './routes/permissions/list.js';
import { quoteRoute } from './routes/permissions/quote.js';
import { setPermissionRoute } from './routes/permissions/set.js';
import { sendMessageRoute } from './routes/send-message.js';

export interface ApiParts {
  readonly config: Config;
  readonly log: Logger;
  readonly store: MessageStore;
  readonly permissions: PermissionStore;
  readonly deliveryFees: AdminFeeParts['deliveryFees'] & ChargeParts['deliveryFees'];
  readonly quotas: StorageQuotas;
  /** Undefined: payments are refused. */
  readonly payments?: PaymentTaker | undefined;
  /** The same database, for what is no message. */
  readonly sql: SqlClient;
  /** The overlay's queue. */
  readonly jobs: JobQueue;
  /** Routes of other services that are on the same port. They answer no path but their own. */
  readonly neighbours?: readonly RequestHandler[];
  readonly identity: ServerIdentity;
  readonly events: RoomEventPublisher;
  readonly health: Health;
  readonly metrics: Metrics;
  readonly limitsHit: LimitsHit;
  readonly rates: RateLimits;
  readonly sendRates: SendRates;
  readonly scheduler: FairScheduler;
  /** Undefined: nothing is pushed to devices. */
  readonly push?: PushNotes | undefined;
}

/** Of requests other than sends: 1,000 ids of 255 characters, each of them escaped, have 1.5 MB. Bytes. */
const OTHER_BODY_BYTES = 2_097_152;

/** The api without its process: the whole wiring of the HTTP routes. */
export function createApi(parts: ApiParts): Express {
  const { config, log, store, permissions, deliveryFees, quotas, payments, scheduler, rates, limitsHit } = parts;
  const { normaliseKey } = parts.identity;
  const { limits } = config;
  const failures = rates.openShared('failures', limits.rates.failures);
  const maxRecipients = limits.recipients;
  const auth = createAuthMiddleware({
    authenticator: parts.identity.authenticator,
    maxBodyBytes: limits.requestBody,
    claimRequest: (claim) => store.claimRequest(claim),
    failures: {
      check: (request, session) => failures.check(session ?? addressOf(request)),
      count: (request, session) => void failures.charge(session ?? addressOf(request), 1),
    },
    schedule: {
      run: (request, identityKey, work, alsoMs) => scheduler.run(sourceOf(request, identityKey), work, alsoMs),
      noteProven: (request, identityKey) => scheduler.noteProven(sourceOf(request, identityKey)),
      charge: (request, identityKey, ms) => scheduler.charge(sourceOf(request, identityKey), ms),
    },
    clientNonces: new SqlClientNonces(parts.sql),
    onClientNonceError: (error) =>
      limitedLines(log).write('warn', { reason: String(error) }, 'a session could not be kept'),
    onOutcome: (outcome) => parts.metrics.authOutcomes.inc({ transport: 'http', outcome }),
  });
  const handshakes = rates.openShared('handshakes', limits.rates.handshakes);
  const requests = rates.openShared('request_rate', limits.rates.requests);

  const answers = new AnswerMemory(limits.answerBytes, () => limitsHit.hit('answer_bytes'));
  parts.metrics.gauge(
    'messagebox_answers_held_bytes',
    'Bytes of lists that their clients have not taken yet.',
    () => answers.used,
  );

  const runPiece = <T>(request: Request, work: () => T) =>
    scheduler.run(sourceOf(request, request.auth?.identityKey), work);

  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('trust proxy', config.trustedProxies);
  app.use(requestLog(log));
  app.use(measure(parts.metrics));
  app.use(cors);
  app.use('/health', healthRoutes(parts.health));
  // Before anything waits: bytes of the body may come at once.
  app.use(boundInFlight({ ...limits.inFlight, largestBody: limits.requestBody }, limitsHit.hit));
  app.use(scheduleFairly(scheduler));
  for (const neighbour of parts.neighbours ?? []) app.use(neighbour);
  app.post(
    '/.well-known/auth',
    admit((request) => handshakes.admit(addressOf(request))),
    auth.handshake,
  );

  const prefix = config.routingPrefix === '' ? '/' : config.routingPrefix;
  const attempts = rates.open('migrations', limits.rates.migrations);
  app.use(prefix, migrateRoute({ store, key: config.migrateKey, attempts, log }));

  const routes = express.Router();
  const admitted = admit((request) => requests.admit(request.auth?.identityKey ?? ''));
  routes.post(
    '/sendMessage',
    auth.authenticate,
    admitted,
    sendMessageRoute({
      advertisedHosts: new AdvertisedHosts(new MessageBoxAdvertisements(parts.sql), ownHosts(config.hostingDomain)),
      store,
      permissions,
      deliveryFees,
      quotas,
      payments,
      push: parts.push,
      events: parts.events,
      normaliseKey,
      sendRates: parts.sendRates,
      maxRecipients,
    }),
  );
  // Nothing else is as large as a message.
  routes.use(auth.authenticateUpTo(Math.min(limits.requestBody, OTHER_BODY_BYTES)), admitted);
  routes.post('/listMessages', listMessagesRoute({ store, maxBytes: limits.list, answers, runPiece }));
  routes.post('/acknowledgeMessage', acknowledgeMessageRoute({ store, quotas, maxIds: limits.acknowledgedIds }));
  routes.post('/permissions/set', setPermissionRoute({ permissions, normaliseKey }));
  routes.get('/permissions/get', getPermissionRoute({ permissions, normaliseKey }));
  routes.get('/permissions/list', listPermissionsRoute({ permissions, normaliseKey }));
  routes.get('/permissions/quote', quoteRoute({ permissions, deliveryFees, normaliseKey, maxRecipients }));
  const admin = adminOnly(config.adminIdentityKeys);
  routes.get('/admin/fees', admin, getFeesRoute({ deliveryFees }));
  routes.put('/admin/fees', admin, putFeesRoute({ deliveryFees }));
  const devices = new DeviceRegistrations(parts.sql, {
    most: limits.devices,
    onForgotten: () => limitsHit.hit('devices'),
  });
  routes.post('/registerDevice', registerDeviceRoute({ devices }));
  routes.get('/devices', devicesRoute({ devices }));
  addOverlayRoutes(routes, {
    admin,
    jobs: parts.jobs,
    ads: new OwnAdvertisements(parts.sql),
  });
  app.use(prefix, routes);

  app.use(answerNotFound);
  app.use(answerErrors(log, limitsHit.count));
  return app;
}
