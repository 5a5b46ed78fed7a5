import { parseJson } from '@messagebox/messages';
import type { Request } from 'express';

const EMPTY_BODY = Buffer.alloc(0);

/**
 * Parses the JSON body of a verified request from the bytes that were signed, and releases the bytes. While a request
 * waits for the database, only the parsed values stay in memory.
 *
 * @throws {RuleError} `ERR_INVALID_JSON` when the body is not UTF-8 JSON, or has too many objects
 */
export function consumeJsonBody(request: Pick<Request, 'auth' | 'path'>): unknown {
  const { auth } = request;
  if (auth === undefined) throw new Error(`route ${request.path} is not behind authentication`);
  request.auth = { ...auth, rawBody: EMPTY_BODY };
  return parseJson(auth.rawBody);
}

/** Like {@link consumeJsonBody}, for routes whose fields are all optional: a request without a body is an empty object. */
export function consumeOptionalJsonBody(request: Pick<Request, 'auth' | 'path'>): unknown {
  return request.auth?.rawBody.length === 0 ? {} : consumeJsonBody(request);
}
