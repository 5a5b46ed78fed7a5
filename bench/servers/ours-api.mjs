import { createApi } from '@messagebox/api';
import { openParts } from './parts.mjs';
import { serve } from './serve.mjs';

/** Our api as it is deployed: every middleware, every route, a durable claim for each request. */
serve(async (params, server) => {
  const parts = await openParts(params);
  server.on('request', createApi(parts));
  return { close: () => parts.store.close() };
});
