import { openParts } from './parts.mjs';
import { serve } from './serve.mjs';

/** One sender has one recipient here, who acknowledges nothing. */
const UNBOUNDED = Object.fromEntries(
  ['INBOX', 'SENDER', 'PAIR'].flatMap((quota) => [
    [`${quota}_MAX_MESSAGES`, '1000000000'],
    [`${quota}_MAX_BYTES`, '1000000000000'],
  ]),
);

/** Our realtime service with events in the process, as standalone runs it. */
serve(async (params, server) => {
  const parts = await openParts(params, UNBOUNDED);
  parts.realtime.attach({ http: server, takeWebSockets: () => {} });
  return {
    close: async () => {
      parts.realtime.close();
      await parts.store.close();
    },
  };
});
