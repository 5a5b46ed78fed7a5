import path from 'node:path';
import { type Request, type RequestHandler, type Response, Router } from 'express';
import { type ConsoleFile, readConsoleFiles } from './console-files.js';
import { createContentSecurityPolicy } from './content-security-policy.js';

const FILES = path.join(import.meta.dirname, '..', 'dist', 'app');
const A_YEAR_SECONDS = 31_536_000;

/**
 * Serves the browser application at `/console/` of where the routes are mounted: to anybody, and to GET and HEAD only. Other
 * paths go on to the next handler.
 */
export function createConsoleRoutes(): RequestHandler {
  const files = readConsoleFiles(FILES);
  const routes = Router({ strict: true, caseSensitive: true });
  // The page names its files relative to its own address, which therefore must end with a slash.
  routes.get('/console', (_request, response) => {
    response.setHeader('Cache-Control', 'no-cache');
    response.redirect(308, './console/');
  });
  routes.get(/^\/console\/(.*)$/, (request, response) => {
    const name = String(request.params[0] ?? '') || 'index.html';
    const file = files.get(name);
    if (file === undefined) sendNotFound(response, files.size > 0);
    else sendFile(request, response, file);
  });
  return routes;
}

function sendFile(request: Request, response: Response, file: ConsoleFile): void {
  setCommonHeaders(response);
  response.setHeader('Content-Type', file.type);
  response.setHeader('Content-Security-Policy', createContentSecurityPolicy(request.headers.host));
  response.setHeader('ETag', file.etag);
  response.setHeader('Vary', 'Accept-Encoding');
  response.setHeader('Cache-Control', file.isImmutable ? `public, max-age=${A_YEAR_SECONDS}, immutable` : 'no-cache');
  if (request.headers['if-none-match'] === file.etag) {
    response.status(304).end();
    return;
  }
  const offered = (['br', 'gzip'] as const).filter((encoding) => file.encodings.has(encoding));
  const accepted = request.acceptsEncodings([...offered, 'identity']);
  const encoding = accepted === 'br' || accepted === 'gzip' ? accepted : 'identity';
  if (encoding !== 'identity') response.setHeader('Content-Encoding', encoding);
  const content = file.encodings.get(encoding) ?? Buffer.alloc(0);
  response.setHeader('Content-Length', content.length);
  response.end(request.method === 'HEAD' ? undefined : content);
}

function sendNotFound(response: Response, isBuilt: boolean): void {
  setCommonHeaders(response);
  response.setHeader('Cache-Control', 'no-store');
  response
    .status(404)
    .type('text/plain')
    .send(isBuilt ? 'The console has no such file.\n' : 'The console was not built here: npm run build makes it.\n');
}

function setCommonHeaders(response: Response): void {
  response.setHeader('X-Content-Type-Options', 'nosniff');
  response.setHeader('Referrer-Policy', 'no-referrer');
  response.setHeader('Cross-Origin-Opener-Policy', 'same-origin');
  response.setHeader('Permissions-Policy', 'camera=(), geolocation=(), microphone=(), payment=()');
}
