import { Realtime } from '@messagebox/realtime';
import { createLogger, createServiceContext, openOverlayJobQueue, readConfig } from '@messagebox/shared';

/**
 * Opens the parts that all servers here share: the real store, rules and live service, composed as in standalone.
 *
 * @param {any} params
 * @param {Record<string, string>} [env] variables that differ from the defaults
 */
export async function openServerContext({ privateKey, database }, env = {}) {
  const config = readConfig({
    ...env,
    NODE_ENV: 'production',
    SERVER_PRIVATE_KEY: privateKey,
    KNEX_DB_CLIENT: database.client,
    KNEX_DB_CONNECTION: JSON.stringify(database.connection),
  });
  const foundation = await createServiceContext(config, createLogger('bench', config.logLevel), {
    service: 'bench',
    embedded: config.store,
  });
  await foundation.store.migrate();
  const realtime = new Realtime(foundation);
  return { ...foundation, realtime, events: realtime.publisher, jobs: openOverlayJobQueue(foundation) };
}
