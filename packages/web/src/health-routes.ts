import { answerHealth, type Health } from '@messagebox/shared';
import type { RequestHandler } from 'express';

/** `GET /health/live` and `GET /health/ready`, for anybody. */
export function healthRoutes(health: Health): RequestHandler {
  return (request, response, next) => {
    if (!answerHealth(`${request.baseUrl}${request.path}`, response, health)) next();
  };
}
