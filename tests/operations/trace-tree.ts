import type { ReceivedSpan } from '../support/otlp-receiver.js';

/** A span with those that belong to it, in the form `service: name` → children. For comparing with what is expected. */
export interface TraceTree {
  readonly [span: string]: TraceTree;
}

/** The spans of a trace below one of its spans, or below the caller that began it elsewhere. */
export function toTraceTree(spans: readonly ReceivedSpan[], traceId: string, parentSpanId: string): TraceTree {
  const children = spans.filter((span) => span.traceId === traceId && span.parentSpanId === parentSpanId);
  return Object.fromEntries(
    children.map(({ service, name, spanId }) => [
      `${service.replace('messagebox-', '')}: ${name}`,
      toTraceTree(spans, traceId, spanId),
    ]),
  );
}
