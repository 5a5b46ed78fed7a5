import { createApi } from '@messagebox/api';
import { openParts } from './parts.mjs';
import { serve } from './serve.mjs';

/** Our api, but with readers of permissions and fees that know the answer: everything is free, and nobody is blocked. */
serve(async (params, server) => {
  const parts = await openParts(params);
  const nobody = new Map();
  const permissions = Object.assign(Object.create(parts.permissions), { decisions: async () => nobody });
  const deliveryFees = Object.assign(Object.create(parts.deliveryFees), { feeFor: async () => 0 });
  server.on('request', createApi({ ...parts, permissions, deliveryFees }));
  return { close: () => parts.store.close() };
});
