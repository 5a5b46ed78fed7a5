import { AsyncLocalStorage } from 'node:async_hooks';
import type { Span } from './tracer.js';

/**
 * The span that the running work belongs to. It is a key and holds nothing by itself: as long as nobody runs work in a span,
 * Node does not follow asynchronous calls for it.
 */
export const currentSpan = new AsyncLocalStorage<Span>();

/** The fields of a log line that lead to its trace, by the names of OpenTelemetry. Empty outside of spans. */
export function getTraceFields(): { readonly trace_id?: string; readonly span_id?: string } {
  const traceparent = currentSpan.getStore()?.context?.traceparent;
  if (traceparent === undefined) return {};
  const [, traceId = '', spanId = ''] = traceparent.split('-');
  return { trace_id: traceId, span_id: spanId };
}
