import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Span, Tracer } from './tracer.js';

/** The part of undici's request that its channels show. */
interface OutgoingRequest {
  readonly method: string;
  readonly origin?: unknown;
  addHeader(name: string, value: string): void;
}

const CREATED = 'undici:request:create';
const ANSWERED = 'undici:request:headers';
const ENDED = 'undici:request:trailers';
const FAILED = 'undici:request:error';

/**
 * Makes a span of each request that this process sends with `fetch` or undici as a part of another span (to FCM, to other
 * overlay hosts, to services of the chain), and hands the trace on with it. The span names the host and no path, because paths
 * may hold ids.
 *
 * @returns ends this
 */
export function traceFetches(tracer: Tracer): () => void {
  const spans = new WeakMap<OutgoingRequest, Span>();
  const find = (message: unknown) => spans.get((message as { request: OutgoingRequest }).request);
  const listeners: readonly (readonly [string, (message: unknown) => void])[] = [
    [
      CREATED,
      (message) => {
        const { request } = message as { request: OutgoingRequest };
        const span = tracer.begin(`${request.method} request`, {
          kind: 'client',
          attributes: { 'http.request.method': request.method, 'server.address': toHost(request.origin) },
        });
        if (span.context === undefined) return;
        spans.set(request, span);
        request.addHeader('traceparent', span.context.traceparent);
        if (span.context.tracestate !== undefined) request.addHeader('tracestate', span.context.tracestate);
      },
    ],
    [
      ANSWERED,
      (message) => {
        const { statusCode } = (message as { response: { statusCode: number } }).response;
        const span = find(message);
        span?.set({ 'http.response.status_code': statusCode });
        if (statusCode >= 400) span?.fail(String(statusCode), true);
      },
    ],
    [ENDED, (message) => find(message)?.end()],
    [
      FAILED,
      (message) => {
        const { error } = message as { error: unknown };
        const span = find(message);
        span?.fail(error instanceof Error ? error.name : 'error', true);
        span?.end();
      },
    ],
  ];
  for (const [channel, listener] of listeners) subscribe(channel, listener);
  return () => {
    for (const [channel, listener] of listeners) unsubscribe(channel, listener);
  };
}

function toHost(origin: unknown): string | undefined {
  return URL.canParse(String(origin)) ? new URL(String(origin)).hostname : undefined;
}
