import type { Request, RequestHandler } from 'express';
import { HEALTH_PATHS } from '../health/answer-health.js';
import { collapseSlashes } from '../http/collapse-slashes.js';
import type { Metrics } from '../metrics/metrics.js';

/** Measures duration and size of requests. Paths without a route get the label `other`: clients can invent any number. */
export function measureRequests(metrics: Metrics): RequestHandler {
  return (request, response, next) => {
    const end = metrics.httpDuration.startTimer({ method: getMethodLabel(request) });
    response.once('close', () => {
      const route = getRouteLabel(request);
      end({ route, code: response.writableEnded ? response.statusCode : 'aborted' });
      metrics.httpRequestBytes.observe({ route }, Number(request.headers['content-length'] ?? 0) || 0);
      metrics.httpResponseBytes.observe({ route }, Number(response.getHeader('content-length') ?? 0) || 0);
    });
    next();
  };
}

/** The route of a request for metrics and traces: `other` for unknown paths. */
export function getRouteLabel(request: Request): string {
  const route: unknown = request.route;
  if (typeof route === 'object' && route !== null && 'path' in route) return String(route.path);
  // A router that has answered removes its own part from `path`, so the original target is used.
  const path = collapseSlashes(request.originalUrl).split('?')[0] ?? '';
  return path.startsWith('/health/') || HEALTH_PATHS.has(path) ? '/health' : 'other';
}

/** The method of a request for metrics and traces. */
export function getMethodLabel(request: Request): string {
  return ['GET', 'POST', 'OPTIONS', 'HEAD', 'PUT', 'DELETE'].includes(request.method) ? request.method : 'other';
}
