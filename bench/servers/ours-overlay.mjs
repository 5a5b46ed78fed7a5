import { createOverlayApp, createOverlayEngine } from '@messagebox/overlay';
import { createLogger, createServiceContext, readConfig } from '@messagebox/shared';
import { fillWithAdvertisements } from '../lib/advertisements.mjs';
import { serve } from './serve.mjs';

/** The HTTP routes of the overlay as deployed, with advertisements in its store. Nothing is submitted to it. */
serve(async ({ privateKey, database, advertisements }, server) => {
  const config = readConfig({
    NODE_ENV: 'production',
    NETWORK: 'main',
    SERVER_PRIVATE_KEY: privateKey,
    KNEX_DB_CLIENT: database.client,
    KNEX_DB_CONNECTION: JSON.stringify(database.connection),
  });
  const foundation = await createServiceContext(config, createLogger('bench', config.logLevel), {
    service: 'bench',
    embedded: config.store,
  });
  await foundation.store.migrate();
  const verifier = {
    verify: async () => {
      throw new Error('The benchmark submits nothing.');
    },
    report: () => undefined,
  };
  const { engine, storage } = createOverlayEngine({ ...foundation, network: config.network, verifier });
  await fillWithAdvertisements(storage, advertisements);
  server.on('request', createOverlayApp({ ...foundation, engine }));
  return { close: () => foundation.store.close() };
});
