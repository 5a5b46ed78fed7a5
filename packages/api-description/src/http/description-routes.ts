import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import express, { type Request, type RequestHandler, type Response, type Router } from 'express';
import { findAsset } from '../assets.js';
import { createAsyncApiDocument } from '../asyncapi/document.js';
import type { JsonObject } from '../json.js';
import { createOpenApiDocument, type DescriptionOptions } from '../openapi/document.js';
import { renderAsyncApiPage } from '../pages/asyncapi-page.js';
import { renderOpenApiPage } from '../pages/openapi-page.js';

/** A cache may keep an answer for this long without asking. A new version of the server comes with a restart. */
const CACHE_CONTROL = 'public, max-age=300';

/** Scripts, styles and requests of this origin alone; the viewer draws its icons from `data:`. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** A text that is made at its first request, and once. */
interface LazyText {
  readonly contentType: string;
  get(): { readonly body: Buffer; readonly etag: string };
}

/**
 * Serves `/openapi.json`, `/asyncapi.json`, and pages that show them at `/docs/`. Mount it at the routing prefix. Nobody has
 * to authenticate, and other paths are passed on.
 */
export function createDescriptionRoutes(options: DescriptionOptions): Router {
  const openApi = lazyText('application/json; charset=utf-8', () => toText(createOpenApiDocument(options)));
  const asyncApi = lazyText('application/json; charset=utf-8', () => toText(createAsyncApiDocument(options)));
  const page = lazyText('text/html; charset=utf-8', renderOpenApiPage);
  const livePage = lazyText('text/html; charset=utf-8', () => renderAsyncApiPage(createAsyncApiDocument(options)));

  const routes = express.Router();
  routes.get('/openapi.json', sendText(openApi));
  routes.get('/asyncapi.json', sendText(asyncApi));
  routes.get('/docs', (request, response, next) => {
    // The page names its files relative to itself, because a proxy may put any path before it.
    if (request.path.endsWith('/')) sendPage(page)(request, response, next);
    else response.status(308).set('Location', 'docs/').end();
  });
  routes.get('/docs/live', sendPage(livePage));
  routes.get('/docs/:file', (request, response, next) => sendAsset(request, response, next));
  return routes;
}

function lazyText(contentType: string, make: () => string): LazyText {
  let made: { readonly body: Buffer; readonly etag: string } | undefined;
  return {
    contentType,
    get() {
      if (made === undefined) {
        const body = Buffer.from(make());
        made = { body, etag: `"${createHash('sha256').update(body).digest('base64url').slice(0, 27)}"` };
      }
      return made;
    },
  };
}

function toText(document: JsonObject): string {
  return `${JSON.stringify(document, null, 1)}\n`;
}

function sendText(lazy: LazyText): RequestHandler {
  return (request, response) => {
    const { body, etag } = lazy.get();
    response.set({ 'Content-Type': lazy.contentType, ETag: etag, 'Cache-Control': CACHE_CONTROL });
    // `fresh` compares If-None-Match with the ETag.
    if (request.fresh) response.status(304).end();
    else response.end(body);
  };
}

function sendPage(lazy: LazyText): RequestHandler {
  const send = sendText(lazy);
  return (request, response, next) => {
    response.set({
      'Content-Security-Policy': CONTENT_SECURITY_POLICY,
      'X-Content-Type-Options': 'nosniff',
      'Referrer-Policy': 'no-referrer',
    });
    send(request, response, next);
  };
}

function sendAsset(request: Request<{ file: string }>, response: Response, next: (error?: unknown) => void): void {
  const asset = findAsset(request.params.file);
  if (asset === undefined) {
    next();
    return;
  }
  response.set({
    'Content-Type': asset.contentType,
    'Cache-Control': CACHE_CONTROL,
    'X-Content-Type-Options': 'nosniff',
    Vary: 'Accept-Encoding',
  });
  if (request.acceptsEncodings('gzip') === false) {
    pipeline(createReadStream(asset.file), createGunzip(), response, (error) => {
      if (error !== undefined && error !== null) next(error);
    });
    return;
  }
  response.set('Content-Encoding', 'gzip');
  response.sendFile(asset.file, { cacheControl: false }, (error?: Error) => {
    if (error === undefined || error === null || response.headersSent) return;
    response.removeHeader('Content-Encoding');
    next(error);
  });
}
