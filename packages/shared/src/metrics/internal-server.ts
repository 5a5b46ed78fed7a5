import { answerHealth } from '../health/answer-health.js';
import type { Health } from '../health/health.js';
import { JsonServer } from '../http/json-server.js';
import { sendJson } from '../http/send-json.js';
import type { Metrics } from './metrics.js';

/** The server on the internal port, for operators and other instances: `/metrics`, `/health` and `/ready`. */
export function createInternalServer(metrics: Metrics, health: Health): JsonServer {
  return new JsonServer((request, response) => {
    const path = request.url?.split('?')[0] ?? '/';
    if (answerHealth(path, response, health)) return;
    if (path !== '/metrics' || request.method !== 'GET') {
      sendJson(response, 404, {
        status: 'error',
        code: 'ERR_NOT_FOUND',
        description: 'This port serves only /metrics, /health and /ready.',
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
