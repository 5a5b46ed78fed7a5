import { getField } from '@messagebox/messages';
import { getRequestAddress } from '@messagebox/shared';
import express, { type Request, type RequestHandler, type Response, type Router } from 'express';
import type { OverlayEngine } from '../engine/overlay-engine.js';
import type { BoundedResponder } from './bounded-responder.js';
import { parseJsonBody } from './request-body.js';

/** Serves the requests by which other hosts synchronise with this one (GASP, BRC-40). */
export function createSyncRoutes(engine: OverlayEngine, responder: BoundedResponder, before: RequestHandler[]): Router {
  const routes = express.Router();
  const answer = (request: Request, response: Response, make: () => Promise<object>) =>
    responder.send(response, getRequestAddress(request), 'application/json; charset=utf-8', async () =>
      Buffer.from(JSON.stringify(await make())),
    );
  routes.post('/requestSyncResponse', ...before, async (request, response) => {
    const body = parseJsonBody(request.body);
    await answer(request, response, () => engine.provideForeignSyncResponse(body, request.get('x-bsv-topic') ?? ''));
  });
  routes.post('/requestForeignGASPNode', ...before, async (request, response) => {
    const body = parseJsonBody(request.body);
    const [graphID, txid, outputIndex] = ['graphID', 'txid', 'outputIndex'].map((name) => getField(body, name));
    const onRead = (bytes: number) => responder.charge(getRequestAddress(request), bytes);
    await answer(request, response, () => engine.provideForeignGASPNode(graphID, txid, outputIndex, onRead));
  });
  return routes;
}
