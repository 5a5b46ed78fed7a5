import type { ServerResponse } from 'node:http';
import { corsHeaders } from './cors-headers.js';

/** Sends `value` as the whole response, with the CORS headers and without caching. */
export function sendJson(response: ServerResponse, status: number, value: unknown): void {
  const body = JSON.stringify(value);
  response.writeHead(status, {
    ...corsHeaders,
    'Content-Type': 'application/json; charset=utf-8',
    'Content-Length': Buffer.byteLength(body),
    'Cache-Control': 'no-store',
  });
  response.end(body);
}
