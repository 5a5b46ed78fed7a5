import { getField, RuleError } from '@messagebox/messages';
import express, { type RequestHandler, type Router } from 'express';
import { parseJsonBody } from './request-body.js';

/** The play chain of network `local`, for wallets in other processes, with its faucet. */
export interface DevelopmentChain {
  /** Calls a method of the chain's services. The implementation checks method and arguments. */
  call(method: string, args: readonly unknown[]): Promise<unknown>;
  /** Gives play money. The implementation checks the request. */
  fund(request: unknown): Promise<unknown>;
}

/** Serves `POST /development/chain {method, args}` and `POST /development/faucet`, on network `local` only. */
export function createDevelopmentRoutes(development: DevelopmentChain, before: RequestHandler[]): Router {
  const routes = express.Router();
  routes.post('/development/chain', ...before, async (request, response) => {
    const body = parseJsonBody(request.body);
    const [method, args] = [getField(body, 'method'), getField(body, 'args') ?? []];
    if (typeof method !== 'string' || !Array.isArray(args)) {
      throw new RuleError('ERR_INVALID_QUERY', 'The body must be {"method": "…", "args": […]}.');
    }
    response.json({ result: (await development.call(method, args)) ?? null });
  });
  routes.post('/development/faucet', ...before, async (request, response) => {
    response.json(await development.fund(parseJsonBody(request.body)));
  });
  return routes;
}
