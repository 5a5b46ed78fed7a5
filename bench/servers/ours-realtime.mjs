import { openParts } from './parts.mjs';
import { serve } from './serve.mjs';

/** Our realtime service with events in the process, as standalone runs it. */
serve(async (params, server) => {
  const parts = await openParts(params);
  parts.realtime.attach({ http: server, takeWebSockets: () => {} });
  return {
    close: async () => {
      parts.realtime.close();
      await parts.store.close();
    },
  };
});
