import express, { type RequestHandler, type Router } from 'express';
import type { OverlayEngine } from '../engine/overlay-engine.js';
import { jsonOf } from './body.js';

/** What other hosts of our topics ask to synchronise by GASP (BRC-40). */
export function syncRoutes(engine: OverlayEngine, before: RequestHandler[]): Router {
  const routes = express.Router();
  routes.post('/requestSyncResponse', ...before, async (request, response) => {
    response.json(await engine.provideForeignSyncResponse(jsonOf(request.body), request.get('x-bsv-topic') ?? ''));
  });
  routes.post('/requestForeignGASPNode', ...before, async (request, response) => {
    const body = jsonOf(request.body);
    const { graphID, txid, outputIndex } = (typeof body === 'object' && body !== null ? body : {}) as Record<
      'graphID' | 'txid' | 'outputIndex',
      unknown
    >;
    response.json(await engine.provideForeignGASPNode(graphID, txid, outputIndex));
  });
  return routes;
}
