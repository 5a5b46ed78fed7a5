import { corsHeaders } from '@messagebox/shared';
import type { RequestHandler } from 'express';

const HEADERS = Object.entries(corsHeaders);

/** Lets pages of any origin use the server: identity is in signatures, never in cookies. */
export const cors: RequestHandler = (request, response, next) => {
  for (const [name, value] of HEADERS) response.setHeader(name, value);
  if (request.method === 'OPTIONS') response.status(200).type('json').send('{}');
  else next();
};
