import { serve } from './serve.mjs';
import { openServerContext } from './server-context.mjs';

/** Limits for one sender with one recipient that acknowledges nothing. */
const UNBOUNDED = Object.fromEntries(
  ['INBOX', 'SENDER', 'PAIR'].flatMap((quota) => [
    [`${quota}_MAX_MESSAGES`, '1000000000'],
    [`${quota}_MAX_BYTES`, '1000000000000'],
  ]),
);

/** The realtime service with events in the process, as standalone runs it. */
serve(async (params, server) => {
  const parts = await openServerContext(params, UNBOUNDED);
  parts.realtime.attach({ http: server, acceptWebSockets: () => {} });
  return {
    close: async () => {
      parts.realtime.close();
      await parts.store.close();
    },
  };
});
