import { Realtime } from '@messagebox/realtime';
import {
  createLogger,
  Health,
  inProcessRoomEvents,
  inProcessRoomMemory,
  openStore,
  readConfig,
  serverIdentity,
} from '@messagebox/shared';

/** What every server here stands on: the real store, rules and live service, composed as standalone does it. */
export async function openParts({ privateKey, database }) {
  const config = readConfig({
    NODE_ENV: 'production',
    SERVER_PRIVATE_KEY: privateKey,
    KNEX_DB_CLIENT: database.client,
    KNEX_DB_CONNECTION: JSON.stringify(database.connection),
  });
  const log = createLogger('bench', config.debug);
  const identity = serverIdentity(config);
  const store = openStore(config.store, log);
  await store.migrate();
  const parts = { config, log, identity, store, health: new Health() };
  const realtime = new Realtime({ ...parts, broker: inProcessRoomEvents(), memory: inProcessRoomMemory() });
  return { ...parts, realtime, events: realtime.publisher };
}
