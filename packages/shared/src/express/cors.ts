import type { RequestHandler } from 'express';
import { corsHeaders } from '../http/cors-headers.js';

const CORS_HEADERS = Object.entries(corsHeaders);

/** Allows pages of any origin. That is safe because identity is in signatures and never in cookies. */
export const cors: RequestHandler = (request, response, next) => {
  for (const [name, value] of CORS_HEADERS) response.setHeader(name, value);
  if (request.method === 'OPTIONS') response.status(200).type('json').send('{}');
  else next();
};
