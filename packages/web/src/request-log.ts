import { randomUUID } from 'node:crypto';
import { type Logger, pathForLog } from '@messagebox/shared';
import type { RequestHandler } from 'express';
import { pinoHttp } from 'pino-http';

declare global {
  namespace Express {
    interface Request {
      /** Goes into every log line about the request. */
      id: string | number | object;
    }
  }
}

/**
 * Gives each request an id that log lines about it carry and, at debug level, writes a line for each: no headers, no
 * bodies, no query. Without debug lines only the id is made, since a logger for each request costs more than its route.
 */
export function requestLog(log: Logger): RequestHandler {
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
        path: pathForLog(request.url.split('?')[0] ?? ''),
      }),
      res: (response: { statusCode: number }) => ({ status: response.statusCode }),
    },
    customSuccessMessage: () => 'request',
    customErrorMessage: () => 'request',
  });
}
