import type { LookupAnswer } from '@bsv/sdk';
import { RuleError } from '@messagebox/shared';
import type { RequestHandler } from 'express';
import type { OverlayEngine } from '../engine/overlay-engine.js';
import { aggregate } from './aggregate.js';
import { jsonOf } from './body.js';

/**
 * `POST /lookup` (BRC-24): `{service, query}` in JSON, answered with `{type: 'output-list', outputs}`, or in the binary
 * form that the header `x-aggregation: yes` asks for.
 */
export function lookupRoute(engine: OverlayEngine): RequestHandler {
  return async (request, response) => {
    const question = questionOf(jsonOf(request.body));
    const answer: LookupAnswer = await engine.lookup(question);
    if (request.get('x-aggregation') !== 'yes') {
      response.json(answer);
      return;
    }
    // Exactly this: clients compare the whole header.
    response.setHeader('Content-Type', 'application/octet-stream');
    response.end(aggregate(answer.outputs));
  };
}

/** @throws {RuleError} `ERR_INVALID_QUERY` */
function questionOf(body: unknown): { service: string; query: unknown } {
  if (typeof body === 'object' && body !== null && 'service' in body && typeof body.service === 'string') {
    const { service } = body;
    if ('query' in body && body.query !== undefined) return { service, query: body.query };
  }
  throw new RuleError('ERR_INVALID_QUERY', 'The body must be {"service": "ls_…", "query": …}.');
}
