import { createApi } from '@messagebox/api';
import { openParts } from './parts.mjs';
import { serve } from './serve.mjs';

const room = { replace: async () => undefined, settle: () => undefined, release: () => undefined };
const INDEXES = ['messages_inbox_usage_index', 'messages_sender_usage_index'];

/** Our api without quotas of what is stored: there is always room, and the indexes that quotas are read by are gone. */
serve(async (params, server) => {
  const parts = await openParts(params);
  const table = parts.sql.dialect === 'mysql' ? ' ON messages' : '';
  for (const index of INDEXES) await parts.sql.knex.raw(`DROP INDEX ${index}${table}`);
  const quotas = Object.assign(Object.create(parts.quotas), { reserve: async () => room });
  server.on('request', createApi({ ...parts, quotas }));
  return { close: () => parts.store.close() };
});
