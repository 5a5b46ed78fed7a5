export { FairScheduler } from './admission/fair-scheduler.js';
export { type Lease, SharedPool } from './admission/shared-pool.js';
export type { Source } from './admission/source.js';
export { TurnSpreader } from './admission/turn-spreader.js';
export { AdvertisedHosts, formatAdvertisedHostHeader, listOwnHosts } from './advertised-hosts/advertised-hosts.js';
export { isHostUrlText, parseHostingUrl } from './advertised-hosts/hosting-url.js';
export { BlockList } from './blocking/block-list.js';
export { ConfigError } from './config/config-error.js';
export { mergeEnvFile } from './config/env-file.js';
export { hasWallet } from './config/has-wallet.js';
export { describeLimits, limitVariables } from './config/limit-variables.js';
export { type Config, type Environment, type Network, readConfig, type WebPushConfig } from './config/read-config.js';
export type { UploadStorageConfig } from './config/uploads.js';
export { variables } from './config/variables.js';
export { admitRequests } from './express/admit-requests.js';
export { cors } from './express/cors.js';
export {
  createErrorHandler,
  DependencyUnavailableError,
  handleNotFound,
  OverloadedError,
  toBodyTooLargeError,
} from './express/error-handler.js';
export { createHealthRoutes } from './express/health-routes.js';
export { limitInFlightRequests } from './express/limit-in-flight-requests.js';
export { logRequests } from './express/log-requests.js';
export { measureRequests } from './express/measure-requests.js';
export { getRequestAddress } from './express/request-address.js';
export { scheduleFairly, toSource } from './express/schedule-fairly.js';
export { traceRequests, traceStep } from './express/trace-requests.js';
export { answerHealth } from './health/answer-health.js';
export { Health } from './health/health.js';
export { getClientAddress } from './http/client-address.js';
export { corsHeaders } from './http/cors-headers.js';
export { describeError } from './http/describe-error.js';
export { JsonServer, MAX_HEADER_BYTES } from './http/json-server.js';
export { parseUrl } from './http/parse-url.js';
export {
  AnswerTooLargeError,
  type BoundedRequest,
  type BoundedResponse,
  FetchError,
  PublicFetch,
} from './http/public-fetch.js';
export { isPublicName } from './http/public-name.js';
export { sendJson } from './http/send-json.js';
export { DEFAULT_MIN_UPLOAD_PACE } from './http/slow-upload-detector.js';
export { createServerIdentity, type ServerIdentity } from './identity/server-identity.js';
export type { InstanceSnapshot } from './instances/instance-snapshot.js';
export { InProcessInstanceStore, type InstanceStore, RedisInstanceStore } from './instances/instance-store.js';
export {
  HISTORY_ENTRIES,
  type HistoryEntry,
  InProcessStatsHistory,
  RedisStatsHistory,
  type StatsHistory,
  startStatsHistory,
} from './instances/stats-history.js';
export { summariseInstances } from './instances/summary.js';
export { VERSION } from './instances/version.js';
export { InProcessJobQueue } from './jobs/in-process-job-queue.js';
export { JobsUnavailableError, PermanentJobError, PostponeJobError, RetryJobError } from './jobs/job-errors.js';
export { computeRetryDelay, defaultJobPolicy, type JobPolicy } from './jobs/job-policy.js';
export type {
  JobHandler,
  JobHandlers,
  JobQueue,
  JobState,
  JobStatus,
  JobWorker,
  JsonValue,
  NewJob,
  RunningJob,
} from './jobs/job-queue.js';
export { type OverlayJobName, openOverlayJobQueue, overlayJobNames } from './jobs/overlay-jobs.js';
export { RedisJobQueue } from './jobs/redis-job-queue.js';
export type { RedisJobTimes } from './jobs/redis-job-worker.js';
export { runJob } from './jobs/run-job.js';
export { KeyedCounter } from './limits/keyed-counter.js';
export { KeyedLock } from './limits/keyed-lock.js';
export { createRateLimit, type RateLimit, TooManyRequestsError } from './limits/rate-limit.js';
export { RateLimits } from './limits/rate-limits.js';
export { RedisCounts } from './limits/redis-counts.js';
export { Semaphore } from './limits/semaphore.js';
export { SendRateLimits } from './limits/send-rate-limits.js';
export { errorMessage } from './logging/error-message.js';
export type { LogLevel } from './logging/log-level.js';
export { createLogger, type Logger } from './logging/logger.js';
export { getRateLimitedLog } from './logging/rate-limited-log.js';
export { LimitHitReporter } from './metrics/limit-hit-reporter.js';
export { Metrics } from './metrics/metrics.js';
export { openJobQueue } from './process/backends.js';
export { createServiceContext, type ServiceContext } from './process/create-service-context.js';
export { type PeriodicTask, runPeriodically } from './process/run-periodically.js';
export { type RunningService, runService } from './process/run-service.js';
export { ShutdownHooks } from './process/shutdown-hooks.js';
export { createPublicServer, logListening, startService } from './process/start-service.js';
export { PUSH_MAX_AGE_MS, startOutboxPruning } from './push/outbox-pruning.js';
export { normalisePushEndpoint } from './push/push-endpoint.js';
export { createPushWakeupSender, onPushWakeup } from './push/push-wakeup.js';
export { generateVapidKeys, toVapidKeys, type VapidKeys } from './push/vapid-keys.js';
export { getVapidSubject } from './push/vapid-subject.js';
export type { HeartbeatOptions } from './redis/connection-monitor.js';
export { type ConnectRedisOptions, connectRedis, type RedisClients } from './redis/redis-clients.js';
export { type IdentityNotice, IdentityNotices } from './room-events/identity-notices.js';
export { createPushEvent, type PushEvent, type PushOutcome } from './room-events/push-event.js';
export { type PushMeta, readPushMeta } from './room-events/push-meta.js';
export {
  createRedisRoomEvents,
  type RedisRoomEventBroker,
  type RoomEventBroker,
} from './room-events/redis-room-events.js';
export { type RoomEventGap, RoomEventGaps } from './room-events/room-event-gaps.js';
export { createSocketIoPublisher } from './room-events/socket-io-publisher.js';
export { type RememberedRoom, ROOM_MEMORY_LIMITS, type RoomMemory } from './room-memory/room-memory.js';
export { RedisStandIns } from './sessions/redis-stand-ins.js';
export { readTraceContext } from './tracing/trace-context.js';
export { NO_TRACER, type Span, type TraceContext, type Tracer } from './tracing/tracer.js';
