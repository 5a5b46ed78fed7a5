import { createApi } from '@messagebox/api';
import { serve } from './serve.mjs';
import { openServerContext } from './server-context.mjs';

const room = { replace: async () => undefined, settle: () => undefined, release: () => undefined };
const INDEXES = ['messages_inbox_usage_index', 'messages_sender_usage_index'];

/** The api without quotas, and without the indexes that quotas need. */
serve(async (params, server) => {
  const parts = await openServerContext(params);
  const table = parts.sql.engine === 'mysql' ? ' ON messages' : '';
  for (const index of INDEXES) await parts.sql.knex.raw(`DROP INDEX ${index}${table}`);
  const quotas = Object.assign(Object.create(parts.quotas), { reserve: async () => room });
  server.on('request', createApi({ ...parts, quotas }));
  return { close: () => parts.store.close() };
});
