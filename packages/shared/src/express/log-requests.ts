import { randomUUID } from 'node:crypto';
import type { RequestHandler } from 'express';
import { pinoHttp } from 'pino-http';
import type { Logger } from '../logging/logger.js';
import { truncatePath } from '../logging/rate-limited-log.js';

declare global {
  namespace Express {
    interface Request {
      /** Is part of every log line about the request. */
      id: string | number | object;
    }
  }
}

/**
 * Gives each request an id for its log lines and, at debug level, writes a line for each request, without headers, body and
 * query. Without debug level only the id is made, because a logger for each request costs more than the route itself.
 */
export function logRequests(log: Logger): RequestHandler {
  if (!log.isLevelEnabled('debug')) {
    return (request, _response, next) => {
      request.id = randomUUID();
      next();
    };
  }
  return pinoHttp({
    logger: log,
    genReqId: () => randomUUID(),
    customLogLevel: () => 'debug',
    serializers: {
      req: (request: { id: string; method: string; url: string }) => ({
        id: request.id,
        method: request.method,
        path: truncatePath(request.url.split('?')[0] ?? ''),
      }),
      res: (response: { statusCode: number }) => ({ status: response.statusCode }),
    },
    customSuccessMessage: () => 'request',
    customErrorMessage: () => 'request',
  });
}
