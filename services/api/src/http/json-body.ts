import { parseJson } from '@messagebox/shared';
import type { Request } from 'express';

const NOTHING = Buffer.alloc(0);

/**
 * Takes the JSON of a verified request, from the very bytes that were signed. These are let go of: while the database is
 * awaited, a request is to hold what will be stored, and not what it came as.
 *
 * @throws {RuleError} `ERR_INVALID_JSON` when they aren't UTF-8 JSON, or have too much structure
 */
export function takeJsonBody(request: Request): unknown {
  const { auth } = request;
  if (auth === undefined) throw new Error(`route ${request.path} is not behind authentication`);
  request.auth = { ...auth, rawBody: NOTHING };
  return parseJson(auth.rawBody);
}
