import type { Check } from '../check.js';
import { chainServices } from './chain-services.js';
import { client } from './client.js';
import { clientAddresses } from './client-addresses.js';
import { configuration } from './configuration.js';
import { connectionQueue } from './connection-queue.js';
import { dataFolder } from './data-folder.js';
import { database } from './database.js';
import { databaseCharset } from './database-charset.js';
import { databaseClock } from './database-clock.js';
import { databaseLimits } from './database-limits.js';
import { databaseSchema } from './database-schema.js';
import { databaseVersion } from './database-version.js';
import { databaseWrites } from './database-writes.js';
import { instances } from './instances.js';
import { longPolling } from './long-polling.js';
import { nodeVersion } from './node-version.js';
import { openFiles } from './open-files.js';
import { originBodies } from './origin-bodies.js';
import { originCertificate } from './origin-certificate.js';
import { originClock } from './origin-clock.js';
import { originHeaders } from './origin-headers.js';
import { originIdentity } from './origin-identity.js';
import { originPath } from './origin-path.js';
import { originReachable } from './origin-reachable.js';
import { originServer } from './origin-server.js';
import { overlayAdvertised } from './overlay-advertised.js';
import { overlayFound } from './overlay-found.js';
import { pushCredentials } from './push-credentials.js';
import { redis } from './redis.js';
import { redisEviction } from './redis-eviction.js';
import { redisPersistence } from './redis-persistence.js';
import { redisVersion } from './redis-version.js';
import { redisWrites } from './redis-writes.js';
import { serverKey } from './server-key.js';
import { walletStorage } from './wallet-storage.js';
import { webPush } from './web-push.js';
import { websocket } from './websocket.js';

/** All checks, in the order in which their results are shown. */
export const checks: readonly Check[] = [
  configuration,
  nodeVersion,
  openFiles,
  connectionQueue,
  serverKey,
  dataFolder,
  database,
  databaseVersion,
  databaseSchema,
  databaseCharset,
  databaseClock,
  databaseWrites,
  databaseLimits,
  redis,
  redisVersion,
  redisEviction,
  redisPersistence,
  redisWrites,
  chainServices,
  walletStorage,
  pushCredentials,
  webPush,
  originReachable,
  originCertificate,
  originServer,
  originIdentity,
  originPath,
  originHeaders,
  originBodies,
  originClock,
  websocket,
  longPolling,
  instances,
  clientAddresses,
  client,
  overlayAdvertised,
  overlayFound,
];
