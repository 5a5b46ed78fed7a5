import type { RequestHandler } from 'express';
import { answerHealth } from '../health/answer-health.js';
import type { Health } from '../health/health.js';

/** `GET /health`, `/health/live`, `/health/ready` and `/ready`, without authentication. Mount it at the root. */
export function createHealthRoutes(health: Health): RequestHandler {
  return (request, response, next) => {
    if (!answerHealth(request.path, response, health)) next();
  };
}
