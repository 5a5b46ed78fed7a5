import { createApi } from '@messagebox/api';
import { serve } from './serve.mjs';
import { openServerContext } from './server-context.mjs';

/** The api with readers of permissions and fees that always answer "free" without a query. */
serve(async (params, server) => {
  const parts = await openServerContext(params);
  const nobody = new Map();
  const permissions = Object.assign(Object.create(parts.permissions), { decisions: async () => nobody });
  const deliveryFees = Object.assign(Object.create(parts.deliveryFees), { feeFor: async () => 0 });
  server.on('request', createApi({ ...parts, permissions, deliveryFees }));
  return { close: () => parts.store.close() };
});
