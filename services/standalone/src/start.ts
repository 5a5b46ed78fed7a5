import path from 'node:path';
import { createApi, purgeExpiredRegularly } from '@messagebox/api';
import { Overlay } from '@messagebox/overlay';
import { finishPaymentsRegularly, openPayments } from '@messagebox/payments';
import { openPush, Realtime } from '@messagebox/realtime';
import {
  type Config,
  ConfigError,
  JsonServer,
  type Logger,
  openFoundation,
  openOverlayJobs,
  type RunningService,
} from '@messagebox/shared';
import { openMoney } from '@messagebox/wallet';
import { createDataDir } from './data-dir.js';
import { keyFromDataDir } from './server-key.js';
import { welcome } from './welcome.js';

const DEFAULT_PORT = 8080;

/**
 * All services in one process on one port, with an embedded database and events in the process: nothing but a
 * composition. KNEX_DB_CONNECTION and REDIS_URL replace those two, without other changes.
 */
export async function start(given: Config, log: Logger): Promise<RunningService> {
  const { config, keyFile } = await withKey(given);
  await createDataDir(config.dataDir);
  const foundation = await openFoundation(config, log, {
    service: 'standalone',
    embedded: { client: 'better-sqlite3', filename: path.join(config.dataDir, 'messagebox.sqlite') },
  });
  const { closing, health, identity, store } = foundation;
  try {
    await store.migrate();
    const money = openMoney(foundation);
    const payments = openPayments({ ...foundation, money });
    const push = await openPush(foundation);
    const realtime = new Realtime({ ...foundation, push, payments });
    closing.add('socket.io', () => realtime.close());
    // In process, who adds jobs and who works them need the same queue.
    const jobs = openOverlayJobs(foundation);
    const overlay = new Overlay({ ...foundation, money, jobs });
    closing.add('overlay', () => overlay.close());
    closing.add('jobs', () => jobs.close());
    const delivery = { events: realtime.publisher, push: push?.notes, payments };
    finishPaymentsRegularly({ ...foundation, ...delivery });
    const server = new JsonServer(
      createApi({ ...foundation, ...delivery, jobs, neighbours: [overlay.routes()] }),
      log,
      { onLimit: foundation.limitsHit.count, requestBounds: config.limits.requestShape },
    );
    if (config.websockets) realtime.attach(server);
    closing.add('purge', purgeExpiredRegularly(foundation));
    closing.add('listener', () => server.close(config.shutdownGraceMs / 2));
    closing.add('sockets', () => realtime.drain());
    closing.add('readiness', () => health.drain());

    const url = await server.listen(config.port ?? DEFAULT_PORT, config.host);
    await overlay.start();
    const { identityKey } = identity.authenticator;
    log.info({ url, identityKey, ...foundation.facts, websockets: config.websockets }, 'listening');
    welcome({ url, identityKey, keyFile, database: config.store === undefined ? config.dataDir : store.dialect });
    return { url, close: () => closing.close() };
  } catch (error) {
    await closing.close();
    throw error;
  }
}

async function withKey(config: Config): Promise<{ config: Config; keyFile: string | undefined }> {
  if (config.serverPrivateKey !== undefined) return { config, keyFile: undefined };
  if (config.nodeEnv === 'production') {
    throw new ConfigError([
      'SERVER_PRIVATE_KEY is missing: with NODE_ENV=production none is made up. For example: openssl rand -hex 32',
    ]);
  }
  const { key, file, made } = await keyFromDataDir(config.dataDir);
  return { config: { ...config, serverPrivateKey: key }, keyFile: made ? file : undefined };
}
