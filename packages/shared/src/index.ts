export { FairScheduler, type FairSchedulerOptions } from './admission/fair-scheduler.js';
export { type Lease, SharedPool, type SharedPoolOptions } from './admission/shared-pool.js';
export type { Source } from './admission/source.js';
export {
  AdvertisedHosts,
  advertisedHostHeader,
  type HostDirectory,
  ownHosts,
} from './advertised-hosts/advertised-hosts.js';
export { hostingUrl, isHostText } from './advertised-hosts/host-names.js';
export * from './config/index.js';
export { DELIVERY_FEE_MAX_AGE_MS, DeliveryFees } from './fees/delivery-fees.js';
export { databaseCheck, Health, type HealthReport } from './health/health.js';
export { addressKey, clientAddress } from './http/client-address.js';
export { collapseSlashes } from './http/collapse-slashes.js';
export { DOWNLOAD_PACE, type DownloadPace } from './http/download-watch.js';
export * from './http/json-server.js';
export { parseUrl } from './http/parse-url.js';
export { UPLOAD_PACE, type UploadPace } from './http/upload-watch.js';
export { type ServerIdentity, serverIdentity } from './identity/server-identity.js';
export * from './jobs/index.js';
export { Counts } from './limits/counts.js';
export { type Rate, type RateLimit, rateLimit, TooManyRequestsError } from './limits/rate-limit.js';
export { RateLimits, type RateLimitsParts } from './limits/rate-limits.js';
export { RedisCounts } from './limits/redis-counts.js';
export { SendRates } from './limits/send-rates.js';
export { type CountStore, type SharedCount, SharedCounts } from './limits/shared-counts.js';
export { Turns } from './limits/turns.js';
export { TimeoutError, within } from './limits/within.js';
export { LimitedLines, type LimitedLinesOptions, limitedLines, pathForLog } from './logging/limited-lines.js';
export { createLogger, type Logger } from './logging/logger.js';
export { createInternalServer } from './metrics/internal-server.js';
export { LimitsHit } from './metrics/limits-hit.js';
export { MeasuredPermissions } from './metrics/measured-permissions.js';
export { MeasuredStore } from './metrics/measured-store.js';
export { Metrics } from './metrics/metrics.js';
export { Closing } from './process/closing.js';
export { type Foundation, openFoundation } from './process/open-foundation.js';
export { type RunningService, runService } from './process/run-service.js';
export * from './push/index.js';
export * from './quotas/index.js';
export { connectRedis, type RedisClients } from './redis/redis-clients.js';
export { inProcessRoomEvents, type RoomEventBroker, redisRoomEvents } from './room-events/redis-room-events.js';
export {
  liveNamespaces,
  type RoomEvent,
  type RoomEventPublisher,
  type RoomSubscriptions,
} from './room-events/room-events.js';
export { socketIoPublisher } from './room-events/socket-io-publisher.js';
export { inProcessRoomMemory } from './room-memory/in-process.js';
export { redisRoomMemory } from './room-memory/redis.js';
export type { RoomMemory } from './room-memory/room-memory.js';
export * from './rules/index.js';
export * from './store/index.js';
