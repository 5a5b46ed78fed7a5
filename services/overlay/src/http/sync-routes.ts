import { field } from '@messagebox/shared';
import { addressOf } from '@messagebox/web';
import express, { type Request, type RequestHandler, type Response, type Router } from 'express';
import type { OverlayEngine } from '../engine/overlay-engine.js';
import type { Answers } from './answers.js';
import { jsonOf } from './body.js';

/** What other hosts of our topics ask to synchronise by GASP (BRC-40). */
export function syncRoutes(engine: OverlayEngine, answers: Answers, before: RequestHandler[]): Router {
  const routes = express.Router();
  const answer = (request: Request, response: Response, make: () => Promise<object>) =>
    answers.send(response, addressOf(request), 'application/json; charset=utf-8', async () =>
      Buffer.from(JSON.stringify(await make())),
    );
  routes.post('/requestSyncResponse', ...before, async (request, response) => {
    const body = jsonOf(request.body);
    await answer(request, response, () => engine.provideForeignSyncResponse(body, request.get('x-bsv-topic') ?? ''));
  });
  routes.post('/requestForeignGASPNode', ...before, async (request, response) => {
    const body = jsonOf(request.body);
    const [graphID, txid, outputIndex] = ['graphID', 'txid', 'outputIndex'].map((name) => field(body, name));
    const onRead = (bytes: number) => answers.charge(addressOf(request), bytes);
    await answer(request, response, () => engine.provideForeignGASPNode(graphID, txid, outputIndex, onRead));
  });
  return routes;
}
