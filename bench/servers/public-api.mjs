import { createAuthMiddleware } from '@bsv/auth-express-middleware';
import { PrivateKey, ProtoWallet } from '@bsv/sdk';
import { listMessages, parseSend, sendMessages } from '@messagebox/messages';
import express from 'express';
import { serve } from './serve.mjs';
import { openServerContext } from './server-context.mjs';

/**
 * The published middleware, set up as its README says, with the rules and the store of this project. Only the authentication
 * and the code around the routes differ from this api.
 */
serve(async (params, server) => {
  const { store, permissions, deliveryFees, quotas, events, identity, config } = await openServerContext(params);
  const app = express();
  app.use(express.json());
  // The README passes a ProtoWallet, although the types require another wallet.
  const wallet = /** @type {any} */ (new ProtoWallet(new PrivateKey(params.privateKey, 16)));
  app.use(createAuthMiddleware({ wallet }));
  app.post('/sendMessage', async (request, response) => {
    const rules = { normaliseKey: identity.normaliseKey, maxRecipients: config.limits.recipients };
    const parts = { store, permissions, deliveryFees, quotas, events };
    response.json(await sendMessages(parts, parseSend(rules, readCaller(request), request.body)));
  });
  app.post('/listMessages', async (request, response) => {
    const options = { store, maxBytes: config.limits.list };
    const { messages, ...rest } = await listMessages(options, readCaller(request), request.body);
    response.json({ ...rest, messages: messages.map(({ pieces }) => JSON.parse(Buffer.concat(pieces).toString())) });
  });
  server.on('request', app);
  return { close: () => store.close() };
});

/** @param {any} request */
function readCaller(request) {
  return request.auth.identityKey;
}
