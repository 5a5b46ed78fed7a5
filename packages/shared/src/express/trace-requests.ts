import type { RequestHandler } from 'express';
import { readTraceContext } from '../tracing/trace-context.js';
import type { Span, Tracer } from '../tracing/tracer.js';
import { getMethodLabel, getRouteLabel } from './measure-requests.js';

declare global {
  namespace Express {
    interface Request {
      /** The span of the whole request. Undefined when nothing is traced. */
      span?: Span;
    }
  }
}

const passOn: RequestHandler = (_request, _response, next) => next();

/** Makes a span of each request. It goes on with the trace that the client names in `traceparent`, or begins one. */
export function traceRequests(tracer: Tracer): RequestHandler {
  if (!tracer.isOn) return passOn;
  return (request, response, next) => {
    const method = getMethodLabel(request);
    const span = tracer.begin(method, {
      kind: 'server',
      parent: readTraceContext(request.headers['traceparent'], request.headers['tracestate']),
      attributes: { 'http.request.method': method },
    });
    request.span = span;
    response.once('close', () => {
      const route = getRouteLabel(request);
      span.rename(`${method} ${route}`);
      span.set({
        'http.route': route,
        'http.response.status_code': response.writableEnded ? response.statusCode : undefined,
        'http.request.body.size': getLength(request.headers['content-length']),
        'http.response.body.size': getLength(response.getHeader('content-length')),
      });
      if (!response.writableEnded) span.fail('aborted');
      span.end();
    });
    span.run(() => next());
  };
}

/**
 * Makes a span of the time until a handler passes a request on. What follows belongs to the request's own span again, whatever
 * turn of the event loop the handler goes on in.
 *
 * @param name what the handler does with the request
 */
export function traceStep(tracer: Tracer, name: string, handler: RequestHandler): RequestHandler {
  if (!tracer.isOn) return handler;
  return (request, response, next) => {
    const { span: whole } = request;
    if (whole === undefined) return handler(request, response, next);
    const step = whole.run(() => tracer.begin(name));
    const end = () => step.end();
    // For a handler that answers by itself.
    response.once('close', end);
    return step.run(() =>
      handler(request, response, (error?: unknown) => {
        response.off('close', end);
        if (error !== undefined) step.fail(error instanceof Error ? error.name : 'error');
        step.end();
        whole.run(() => next(error));
      }),
    );
  };
}

function getLength(value: unknown): number | undefined {
  return value === undefined ? undefined : Number(value) || 0;
}
