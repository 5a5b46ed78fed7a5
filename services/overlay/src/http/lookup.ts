import { RuleError } from '@messagebox/shared';
import { addressOf } from '@messagebox/web';
import type { RequestHandler } from 'express';
import type { OverlayEngine } from '../engine/overlay-engine.js';
import { aggregate } from './aggregate.js';
import { answerJson } from './answer-json.js';
import type { Answers } from './answers.js';
import { jsonOf } from './body.js';

/**
 * `POST /lookup` (BRC-24): `{service, query}` in JSON, answered with `{type: 'output-list', outputs}`, or in the binary
 * form that the header `x-aggregation: yes` asks for.
 */
export function lookupRoute(engine: OverlayEngine, answers: Answers): RequestHandler {
  return async (request, response) => {
    const question = questionOf(jsonOf(request.body));
    const isBinary = request.get('x-aggregation') === 'yes';
    // Exactly this: clients compare the whole header.
    const contentType = isBinary ? 'application/octet-stream' : 'application/json; charset=utf-8';
    await answers.send(response, addressOf(request), contentType, async () => {
      const { outputs } = await engine.lookup(question, isBinary ? 'once' : 'each');
      return isBinary ? aggregate(outputs) : answerJson(outputs);
    });
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
