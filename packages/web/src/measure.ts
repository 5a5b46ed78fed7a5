import { collapseSlashes, type Metrics } from '@messagebox/shared';
import type { Request, RequestHandler } from 'express';

/** Times and sizes requests. A route is one that exists, or `other`: paths that clients make up are no labels. */
export function measure(metrics: Metrics): RequestHandler {
  return (request, response, next) => {
    const end = metrics.httpDuration.startTimer({ method: knownMethod(request) });
    response.once('close', () => {
      const route = routeOf(request);
      end({ route, code: response.writableEnded ? response.statusCode : 'aborted' });
      metrics.httpRequestBytes.observe({ route }, Number(request.headers['content-length'] ?? 0) || 0);
      metrics.httpResponseBytes.observe({ route }, Number(response.getHeader('content-length') ?? 0) || 0);
    });
    next();
  };
}

function routeOf(request: Request): string {
  const route: unknown = request.route;
  if (typeof route === 'object' && route !== null && 'path' in route) return String(route.path);
  // Not `path`: a router that has answered leaves it without its own part.
  return collapseSlashes(request.originalUrl).startsWith('/health/') ? '/health' : 'other';
}

function knownMethod(request: Request): string {
  return ['GET', 'POST', 'OPTIONS', 'HEAD', 'PUT', 'DELETE'].includes(request.method) ? request.method : 'other';
}
