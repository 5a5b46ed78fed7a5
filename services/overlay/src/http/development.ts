import { field, RuleError } from '@messagebox/shared';
import express, { type RequestHandler, type Router } from 'express';
import { jsonOf } from './body.js';

/** The play chain of network `local`, for wallets in other processes, and its money. */
export interface Development {
  /** Calls a method of the chain's services. Checks method and arguments itself. */
  chain(method: string, args: readonly unknown[]): Promise<unknown>;
  /** Gives money. Checks the request itself. */
  fund(request: unknown): Promise<unknown>;
}

/** `POST /development/chain {method, args}` and `POST /development/faucet`. Never served but on network `local`. */
export function developmentRoutes(development: Development, before: RequestHandler[]): Router {
  const routes = express.Router();
  routes.post('/development/chain', ...before, async (request, response) => {
    const body = jsonOf(request.body);
    const [method, args] = [field(body, 'method'), field(body, 'args') ?? []];
    if (typeof method !== 'string' || !Array.isArray(args)) {
      throw new RuleError('ERR_INVALID_QUERY', 'The body must be {"method": "…", "args": […]}.');
    }
    response.json({ result: (await development.chain(method, args)) ?? null });
  });
  routes.post('/development/faucet', ...before, async (request, response) => {
    response.json(await development.fund(jsonOf(request.body)));
  });
  return routes;
}
