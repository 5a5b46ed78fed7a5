import { createDescriptionRoutes } from '@messagebox/api-description';
import { createAuthMiddleware, type RouteKind, type StandInSessions } from '@messagebox/brc103/express';
import { createConsoleRoutes } from '@messagebox/console';
import {
  type AdminFeesOptions,
  getListPrice,
  hasSendPrice,
  type PaymentProcessor,
  type PushOutboxWriter,
  type ReadChargesOptions,
  type RoomEventPublisher,
  type StorageQuotas,
  type UploadProcessor,
} from '@messagebox/messages';
import type { PricePayments } from '@messagebox/payments';
import {
  AdvertisedHosts,
  admitRequests,
  type BlockList,
  type Config,
  cors,
  createErrorHandler,
  createHealthRoutes,
  type FairScheduler,
  getRateLimitedLog,
  getRequestAddress,
  type Health,
  handleNotFound,
  type InstanceStore,
  type JobQueue,
  type LimitHitReporter,
  type Logger,
  limitInFlightRequests,
  listOwnHosts,
  logRequests,
  type Metrics,
  measureRequests,
  normalisePushEndpoint,
  type RateLimits,
  type RoomEventBroker,
  type SendRateLimits,
  type ServerIdentity,
  type StatsHistory,
  scheduleFairly,
  type Tracer,
  toSource,
  traceRequests,
  traceStep,
} from '@messagebox/shared';
import {
  AuditLog,
  BoundedWrites,
  BoxStatusReader,
  DeviceRegistrations,
  MessageBoxAdvertisements,
  type MessageStore,
  OwnAdvertisements,
  type PermissionStore,
  SentStatusReader,
  type SqlClient,
  SqlClientNonceStore,
  WritesRefusedError,
} from '@messagebox/store';
import express, { type Express, type Request, type RequestHandler } from 'express';
import { refuseBlocked } from './http/refuse-blocked.js';
import { createOpenRequestPayment } from './http/request-payment.js';
import { requireAdmin } from './http/require-admin.js';
import { ResponseMemory } from './http/response-memory.js';
import { WorkSlots } from './http/work-slots.js';
import { describeServer } from './info/describe-server.js';
import { deleteAccountRoute } from './routes/account/delete-account.js';
import { exportAccountRoute } from './routes/account/export-account.js';
import { acknowledgeMessageRoute } from './routes/acknowledge-message.js';
import { addAdminRoutes } from './routes/admin/index.js';
import { boxStatusRoute } from './routes/box-status.js';
import { listDevicesRoute, registerDeviceRoute, unregisterDeviceRoute } from './routes/devices.js';
import { type InfoRouteOptions, infoRoute } from './routes/info.js';
import { listMessagesRoute } from './routes/list-messages.js';
import { migrateRoute } from './routes/migrate-route.js';
import { addOverlayRoutes } from './routes/overlay/index.js';
import { getPermissionRoute } from './routes/permissions/get-permission.js';
import { listPermissionsRoute } from './routes/permissions/list-permissions.js';
import { quoteRoute } from './routes/permissions/quote.js';
import { setPermissionRoute } from './routes/permissions/set-permission.js';
import { sendMessageRoute } from './routes/send-message.js';
import { sentStatusRoute } from './routes/sent-status.js';
import { announceUploadRoute, beefUploadUrlRoute } from './routes/uploads.js';

export interface ApiOptions {
  readonly config: Config;
  readonly log: Logger;
  readonly store: MessageStore;
  readonly permissions: PermissionStore;
  readonly deliveryFees: AdminFeesOptions['deliveryFees'] &
    ReadChargesOptions['deliveryFees'] &
    InfoRouteOptions['deliveryFees'];
  readonly quotas: StorageQuotas;
  /** Undefined: payments are refused. */
  readonly payments?: PaymentProcessor | undefined;
  /** Undefined: uploads are refused. */
  readonly uploads?: UploadProcessor | undefined;
  /** Needed when the configuration has prices. */
  readonly pricePayments?: Pick<PricePayments, 'open'> | undefined;
  /** The same database as `store`, for other tables. */
  readonly sql: SqlClient;
  /** Keep sessions, and the claims of requests that only read, while the database takes no writes. */
  readonly standIns: readonly StandInSessions[];
  /** The overlay's job queue. */
  readonly jobs: JobQueue;
  /** Routes of other services on the same port. They answer only their own paths. */
  readonly extraRoutes?: readonly RequestHandler[];
  readonly identity: ServerIdentity;
  readonly events: RoomEventPublisher;
  /** Identities that may not use this server. */
  readonly blockList: BlockList;
  /** Tells other instances what has changed about an identity. */
  readonly broker: Pick<RoomEventBroker, 'notices'>;
  /** What the running instances say of themselves. */
  readonly instances: InstanceStore;
  readonly history: StatsHistory;
  readonly health: Health;
  readonly metrics: Metrics;
  readonly tracer: Tracer;
  readonly limitsHit: LimitHitReporter;
  readonly rates: RateLimits;
  readonly sendRates: SendRateLimits;
  readonly scheduler: FairScheduler;
  /** Undefined: nothing is pushed to devices. */
  readonly push?: PushOutboxWriter | undefined;
}

/** Exports and deletions of accounts that run at once. */
const MAX_ACCOUNT_WORK = 4;

/** The api without its process: this function creates and connects all HTTP routes. */
export function createApi(options: ApiOptions): Express {
  const { config, log, store, permissions, deliveryFees, quotas, payments, scheduler, rates, limitsHit, tracer } =
    options;
  const { normaliseKey } = options.identity;
  const { limits } = config;
  const failures = rates.openShared('failures', limits.rates.failures);
  const maxRecipients = limits.recipients;
  const sessions = new SqlClientNonceStore(options.sql);
  const boundedWrites = new BoundedWrites();
  const auth = createAuthMiddleware({
    authenticator: options.identity.authenticator,
    maxBodyBytes: limits.requestBody,
    maxBodySetting: 'MAX_BODY_BYTES',
    claimRequest: (claim) =>
      claim.isReadOnly ? boundedWrites.run(() => store.claimRequest(claim)) : store.claimRequest(claim),
    standIns: options.standIns,
    isWriteRefusal: (error) => error instanceof WritesRefusedError,
    failureLimit: {
      checkLimit: (request, session) => failures.check(session ?? getRequestAddress(request)),
      recordFailure: (request, session) => void failures.charge(session ?? getRequestAddress(request), 1),
    },
    schedule: {
      run: (request, identityKey, work, alsoMs) => scheduler.run(toSource(request, identityKey), work, alsoMs),
      noteProven: (request, identityKey) => scheduler.noteProven(toSource(request, identityKey)),
      charge: (request, identityKey, ms) => scheduler.charge(toSource(request, identityKey), ms),
    },
    clientNonces: {
      insert: (...session) => boundedWrites.run(() => sessions.insert(...session)),
      find: (handle) => sessions.find(handle),
      markProven: (handle, expiresAt) => sessions.markProven(handle, expiresAt),
    },
    onClientNonceError: (error) =>
      getRateLimitedLog(log).write('warn', { reason: String(error) }, 'session could not be stored'),
    onOutcome: (outcome) => options.metrics.authOutcomes.inc({ transport: 'http', outcome }),
  });
  const handshakes = rates.openShared('handshakes', limits.rates.handshakes);
  const requests = rates.openShared('request_rate', limits.rates.requests);

  const responseMemory = new ResponseMemory(limits.answerBytes, () => limitsHit.report('answer_bytes'));
  options.metrics.addGauge(
    'messagebox_answers_held_bytes',
    'Bytes of list answers that clients have not received yet.',
    () => responseMemory.used,
  );

  const runInTurn = <T>(request: Request, work: () => T, alsoMs = 0) =>
    scheduler.run(toSource(request, request.auth?.identityKey), work, alsoMs);

  const { prices } = config;
  if (prices !== undefined && options.pricePayments === undefined) throw new Error('Prices need pricePayments.');
  const openPayment = options.pricePayments && createOpenRequestPayment(options.pricePayments, runInTurn);

  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('trust proxy', config.trustedProxies);
  app.use(logRequests(log));
  app.use(measureRequests(options.metrics));
  app.use(cors);
  app.use(createHealthRoutes(options.health));
  app.use(traceRequests(tracer));
  // This limit must come before anything that waits, because the body arrives meanwhile.
  app.use(limitInFlightRequests({ ...limits.inFlight, maxBodyBytes: limits.requestBody }, limitsHit.report));
  app.use(traceStep(tracer, 'wait for turn', scheduleFairly(scheduler)));
  const prefix = config.routingPrefix === '' ? '/' : config.routingPrefix;
  app.use(prefix, createConsoleRoutes());
  for (const route of options.extraRoutes ?? []) app.use(route);
  app.post(
    '/.well-known/auth',
    admitRequests((request) => handshakes.admit(getRequestAddress(request))),
    traceStep(tracer, 'handshake', auth.handshake),
  );

  const attempts = rates.open('migrations', limits.rates.migrations);
  app.use(prefix, migrateRoute({ store, key: config.migrateKey, attempts, log }));
  app.use(prefix, createDescriptionRoutes({ routingPrefix: config.routingPrefix }));
  const { identityKey } = options.identity.authenticator;
  const open = express.Router();
  open.get('/info', infoRoute({ description: describeServer({ config, identityKey }), deliveryFees }));
  app.use(prefix, open);

  const routes = express.Router();
  const allowed = refuseBlocked(options.blockList);
  const admitted = traceStep(
    tracer,
    'check rates',
    admitRequests((request) => requests.admit(request.auth?.identityKey ?? '')),
  );
  const authenticated = (route: RouteKind) => traceStep(tracer, 'authenticate', auth.createAuthenticate(route));
  routes.post(
    '/sendMessage',
    authenticated({}),
    allowed,
    admitted,
    sendMessageRoute({
      advertisedHosts: new AdvertisedHosts(
        new MessageBoxAdvertisements(options.sql),
        listOwnHosts(config.hostingDomain),
      ),
      runInTurn,
      store,
      permissions,
      deliveryFees,
      quotas,
      payments,
      uploads: options.uploads,
      push: options.push,
      events: options.events,
      normaliseKey,
      sendRateLimits: options.sendRates,
      maxRecipients,
      maxListedBytes: limits.listedBody,
      prices,
      openPayment: prices !== undefined && hasSendPrice(prices) ? openPayment : undefined,
    }),
  );
  // Only sends may have large bodies.
  const maxBodyBytes = limits.otherRequestBody;
  const writing = [authenticated({ maxBodyBytes }), allowed, admitted];
  const reading = [authenticated({ maxBodyBytes, isReadOnly: true }), allowed, admitted];
  const listPrice = prices === undefined ? 0 : getListPrice(prices);
  const boxes = new BoxStatusReader(options.sql);
  routes.post(
    '/listMessages',
    reading,
    listMessagesRoute({
      store,
      boxes,
      uploads: options.uploads,
      maxBytes: limits.list,
      responseMemory,
      runInTurn,
      price: listPrice,
      openPayment,
    }),
  );
  routes.post('/boxStatus', reading, boxStatusRoute({ boxes, responseMemory }));
  const sent = new SentStatusReader(options.sql);
  routes.post('/sentStatus', reading, sentStatusRoute({ sent, normaliseKey, responseMemory }));
  routes.post(
    '/acknowledgeMessage',
    writing,
    acknowledgeMessageRoute({ store, quotas, maxIds: limits.acknowledgedIds }),
  );
  const uploads = {
    uploads: options.uploads,
    bytesByAddress: rates.openShared('upload_bytes', limits.rates.uploadBytes),
  };
  routes.post('/uploads', writing, announceUploadRoute(uploads));
  routes.post('/beef/upload-url', writing, beefUploadUrlRoute(uploads));
  routes.post('/permissions/set', writing, setPermissionRoute({ permissions, normaliseKey }));
  routes.get('/permissions/get', reading, getPermissionRoute({ permissions, normaliseKey }));
  routes.get('/permissions/list', reading, listPermissionsRoute({ permissions, normaliseKey }));
  routes.get('/permissions/quote', reading, quoteRoute({ permissions, deliveryFees, normaliseKey, maxRecipients }));
  const devices = new DeviceRegistrations(options.sql, {
    maxDevices: limits.devices,
    onEvicted: () => limitsHit.report('devices'),
  });
  const normaliseEndpoint = (endpoint: string) => normalisePushEndpoint(endpoint, config.network);
  routes.post('/registerDevice', writing, registerDeviceRoute({ devices, normaliseEndpoint }));
  routes.post('/unregisterDevice', writing, unregisterDeviceRoute({ devices, normaliseEndpoint }));
  routes.get('/devices', reading, listDevicesRoute({ devices }));
  const { notices } = options.broker;
  const slots = new WorkSlots(MAX_ACCOUNT_WORK, 'account_work');
  const account = { sql: options.sql, quotas, notices, slots, normaliseKey, devices, responseMemory };
  routes.post('/account/export', reading, exportAccountRoute({ ...account, maxBytes: limits.list }));
  routes.post('/account/delete', writing, deleteAccountRoute(account));
  const admin = requireAdmin(config.adminIdentityKeys);
  const operators = {
    reading: [...reading, admin],
    writing: [...writing, admin],
    ads: new OwnAdvertisements(options.sql),
    audit: new AuditLog(options.sql),
  };
  addOverlayRoutes(routes, { ...operators, jobs: options.jobs });
  addAdminRoutes(routes, { ...options, ...operators, notices, normaliseKey });
  // Other paths are answered with 404 only to those who are authenticated.
  routes.use(writing);
  app.use(prefix, routes);

  app.use(handleNotFound);
  app.use(createErrorHandler(log, limitsHit.count));
  return app;
}
