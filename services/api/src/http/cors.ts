import { corsHeaders } from '@messagebox/shared';
import type { RequestHandler } from 'express';

/** Lets pages of any origin use the server: identity is in signatures, never in cookies. */
export const cors: RequestHandler = (request, response, next) => {
  response.set(corsHeaders);
  if (request.method === 'OPTIONS') response.status(200).type('json').send('{}');
  else next();
};
