import { RuleError } from '@messagebox/messages';
import { getRequestAddress } from '@messagebox/shared';
import type { RequestHandler } from 'express';
import type { OverlayEngine } from '../engine/overlay-engine.js';
import type { BoundedResponder } from './bounded-responder.js';
import { parseJsonBody } from './request-body.js';
import { serializeAggregate } from './serialize-aggregate.js';
import { serializeLookupJson } from './serialize-lookup-json.js';

/**
 * Handles `POST /lookup` (BRC-24): the body is `{service, query}` in JSON, the answer `{type: 'output-list', outputs}`, or
 * with the header `x-aggregation: yes` its binary form.
 */
export function lookupRoute(engine: OverlayEngine, responder: BoundedResponder): RequestHandler {
  return async (request, response) => {
    const question = parseLookupQuestion(parseJsonBody(request.body));
    const isBinary = request.get('x-aggregation') === 'yes';
    // Clients compare the whole header, so it must not vary.
    const contentType = isBinary ? 'application/octet-stream' : 'application/json; charset=utf-8';
    await responder.send(response, getRequestAddress(request), contentType, async () => {
      const { outputs } = await engine.lookup(question, isBinary ? 'once' : 'each');
      return isBinary ? serializeAggregate(outputs) : serializeLookupJson(outputs);
    });
  };
}

/** @throws {RuleError} `ERR_INVALID_QUERY` */
function parseLookupQuestion(body: unknown): { service: string; query: unknown } {
  if (typeof body === 'object' && body !== null && 'service' in body && typeof body.service === 'string') {
    const { service } = body;
    if ('query' in body && body.query !== undefined) return { service, query: body.query };
  }
  throw new RuleError('ERR_INVALID_QUERY', 'The body must be {"service": "ls_…", "query": …}.');
}
