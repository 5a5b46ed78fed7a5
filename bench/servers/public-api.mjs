import { createAuthMiddleware } from '@bsv/auth-express-middleware';
import { PrivateKey, ProtoWallet } from '@bsv/sdk';
import { list, send } from '@messagebox/shared';
import express from 'express';
import { openParts } from './parts.mjs';
import { serve } from './serve.mjs';

/**
 * The published middleware, set up as its README says, in front of our own rules and store: what differs from our api is
 * authentication and what surrounds the routes, not what a route does.
 */
serve(async (params, server) => {
  const { store, permissions, deliveryFees, quotas, events, identity, config } = await openParts(params);
  const app = express();
  app.use(express.json());
  // The README hands it this very wallet, whatever the types ask for.
  const wallet = /** @type {any} */ (new ProtoWallet(new PrivateKey(params.privateKey, 16)));
  app.use(createAuthMiddleware({ wallet }));
  app.post('/sendMessage', async (request, response) => {
    const rules = { normaliseKey: identity.normaliseKey, maxRecipients: config.limits.recipients };
    const parts = { store, permissions, deliveryFees, quotas, events, ...rules };
    response.json(await send(parts, callerOf(request), request.body));
  });
  app.post('/listMessages', async (request, response) => {
    response.json(await list({ store, maxBytes: config.limits.list }, callerOf(request), request.body));
  });
  server.on('request', app);
  return { close: () => store.close() };
});

/** @param {any} request */
function callerOf(request) {
  return request.auth.identityKey;
}
