import type { Health } from '../health/health.js';
import { answerHealth, JsonServer, sendJson } from '../http/json-server.js';
import type { Metrics } from './metrics.js';

/** A server for operators and for other instances, on a port of its own that no client reaches: `/metrics`, `/health/`. */
export function createInternalServer(metrics: Metrics, health: Health): JsonServer {
  return new JsonServer((request, response) => {
    const path = request.url?.split('?')[0] ?? '/';
    if (answerHealth(path, response, health)) return;
    if (path !== '/metrics' || request.method !== 'GET') {
      sendJson(response, 404, {
        status: 'error',
        code: 'ERR_NOT_FOUND',
        description: 'Here are /metrics and /health/.',
      });
      return;
    }
    metrics.registry.metrics().then(
      (text) => {
        response.writeHead(200, { 'Content-Type': metrics.registry.contentType });
        response.end(text);
      },
      () =>
        sendJson(response, 500, {
          status: 'error',
          code: 'ERR_INTERNAL',
          description: 'The metrics could not be read.',
        }),
    );
  });
}
