import path from 'node:path';
import { createApi, startExpiryPurge } from '@messagebox/api';
import { Overlay } from '@messagebox/overlay';
import { createPaymentService, createPricePayments, startPaymentRecovery } from '@messagebox/payments';
import { Realtime, startPush } from '@messagebox/realtime';
import {
  type Config,
  createPublicServer,
  type Logger,
  logListening,
  openOverlayJobQueue,
  type RunningService,
  startService,
  startStatsHistory,
} from '@messagebox/shared';
import type { StoreConfig } from '@messagebox/store';
import { openUploads } from '@messagebox/uploads';
import { createBsvServices } from '@messagebox/wallet';
import { createDataDir } from './create-data-dir.js';
import { printWelcome } from './print-welcome.js';
import { ensureServerKey } from './server-key.js';
import { ensureVapidKeys } from './vapid-keys.js';

const DEFAULT_PORT = 8080;

/**
 * Starts the server of a process of its own: database and keys are in the data directory, and the terminal gets a welcome.
 *
 * @param tryIt a command for the next step, which the welcome names
 */
export async function start(given: Config, log: Logger, tryIt?: string): Promise<RunningService> {
  const { config: withKey, keyFile } = await ensureServerKey(given);
  const config = await ensureVapidKeys(withKey);
  const service = await startStandalone(config, log, { embedded: await openDataDir(config.dataDir) });
  const { url, identityKey, facts } = service;
  const database = config.store === undefined ? config.dataDir : (facts['database'] ?? config.store.client);
  const consoleUrl = `${url}${config.routingPrefix}/console`;
  printWelcome({ url, consoleUrl, identityKey, keyFile, database, tryIt });
  return service;
}

/** Creates the data directory. @returns the database in it */
export async function openDataDir(dataDir: string): Promise<StoreConfig> {
  await createDataDir(dataDir);
  return { client: 'better-sqlite3', filename: path.join(dataDir, 'messagebox.sqlite') };
}

/**
 * Starts all services on one port, with events in this process; KNEX_DB_CONNECTION and REDIS_URL replace the embedded
 * database and these events. Prints nothing.
 *
 * @param config must have a private key
 */
export function startStandalone(
  config: Config,
  log: Logger,
  options: { readonly embedded: StoreConfig; readonly sharesProcess?: boolean },
): Promise<RunningService> {
  return startService(config, log, { service: 'standalone', ...options }, async (context) => {
    const { shutdown, health, store } = context;
    await store.migrate();
    const bsv = createBsvServices(context);
    const uploads = openUploads(context);
    const payments = createPaymentService({ ...context, bsv, uploads });
    const pricePayments = createPricePayments({ ...context, bsv });
    const push = await startPush(context);
    const realtime = new Realtime({ ...context, push, payments });
    shutdown.add('socket.io', () => realtime.close());
    // The api adds jobs and the overlay runs them. An in-process queue must be the same object for both.
    const jobs = openOverlayJobQueue(context);
    const overlay = new Overlay({ ...context, bsv, jobs });
    shutdown.add('overlay', () => overlay.close());
    shutdown.add('jobs', () => jobs.close());
    const delivery = { events: realtime.publisher, push: push?.outboxWriter, payments, pricePayments };
    startPaymentRecovery({ ...context, ...delivery });
    const api = createApi({ ...context, ...delivery, uploads, jobs, extraRoutes: [overlay.createRoutes()] });
    const server = createPublicServer(context, api);
    if (config.websockets) realtime.attach(server);
    shutdown.add('purge', startExpiryPurge(context));
    const history = startStatsHistory(context);
    shutdown.add('history', () => history.close());
    shutdown.add('listener', () => server.close(config.shutdownGraceMs / 2));
    shutdown.add('sockets', () => realtime.drain());
    shutdown.add('readiness', () => health.drain());

    const url = await server.listen(config.port ?? DEFAULT_PORT, config.host);
    await overlay.start();
    logListening(context, url, { websockets: config.websockets });
    return url;
  });
}
