import { Realtime } from '@messagebox/realtime';
import { createLogger, openFoundation, openOverlayJobs, readConfig } from '@messagebox/shared';

/**
 * What every server here stands on: the real store, rules and live service, composed as standalone does it.
 *
 * @param {any} params
 * @param {Record<string, string>} [env] configuration that differs from the default
 */
export async function openParts({ privateKey, database }, env = {}) {
  const config = readConfig({
    ...env,
    NODE_ENV: 'production',
    SERVER_PRIVATE_KEY: privateKey,
    KNEX_DB_CLIENT: database.client,
    KNEX_DB_CONNECTION: JSON.stringify(database.connection),
  });
  const foundation = await openFoundation(config, createLogger('bench', config.debug), {
    service: 'bench',
    embedded: config.store,
  });
  await foundation.store.migrate();
  const realtime = new Realtime(foundation);
  return { ...foundation, realtime, events: realtime.publisher, jobs: openOverlayJobs(foundation) };
}
