import { openStore } from '@messagebox/store';
import { answerParent } from './rpc.mjs';
import { toStoreConfig } from './store-config.mjs';

answerParent({
  /** Brings a database to today's schema. */
  async migrate(database) {
    const store = openStore(toStoreConfig(database));
    try {
      await store.migrate();
    } finally {
      await store.close();
    }
  },
});
