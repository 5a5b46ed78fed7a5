import type { Request } from 'express';

/** The identity that the request's session has proven. Routes are mounted behind authentication, so there is one. */
export function callerOf(request: Request): string {
  const key = request.auth?.identityKey;
  if (key === undefined) throw new Error(`route ${request.path} is not behind authentication`);
  return key;
}
