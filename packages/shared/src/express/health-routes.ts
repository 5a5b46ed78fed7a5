import type { RequestHandler } from 'express';
import { answerHealth } from '../health/answer-health.js';
import type { Health } from '../health/health.js';

/** `GET /health/live` and `GET /health/ready`, without authentication. */
export function createHealthRoutes(health: Health): RequestHandler {
  return (request, response, next) => {
    if (!answerHealth(`${request.baseUrl}${request.path}`, response, health)) next();
  };
}
