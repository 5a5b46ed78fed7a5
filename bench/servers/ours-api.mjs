import { createApi } from '@messagebox/api';
import { serve } from './serve.mjs';
import { openServerContext } from './server-context.mjs';

/** The api as it is deployed, with all middleware and routes, and a durable claim for each request. */
serve(async (params, server) => {
  const parts = await openServerContext(params);
  server.on('request', createApi(parts));
  return { close: () => parts.store.close() };
});
