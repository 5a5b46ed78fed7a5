import type { Request } from 'express';

/** Returns the identity key that the request's session has proven. The route must be behind authentication. */
export function getCallerKey(request: Pick<Request, 'auth' | 'path'>): string {
  const key = request.auth?.identityKey;
  if (key === undefined) throw new Error(`route ${request.path} is not behind authentication`);
  return key;
}
