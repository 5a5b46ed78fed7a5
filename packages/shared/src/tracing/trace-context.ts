import type { TraceContext } from './tracer.js';

const TRACEPARENT = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;
/** What the specification asks vendors to propagate at least. */
const MAX_TRACESTATE_CHARACTERS = 512;
const PRINTABLE = /^[\x20-\x7e]*$/;

/**
 * Reads the trace context that a client or another instance has sent. A wrong one counts as none: nobody is refused because
 * of it.
 */
export function readTraceContext(traceparent: unknown, tracestate?: unknown): TraceContext | undefined {
  if (typeof traceparent !== 'string' || !TRACEPARENT.test(traceparent)) return undefined;
  const isUsable =
    typeof tracestate === 'string' &&
    tracestate !== '' &&
    tracestate.length <= MAX_TRACESTATE_CHARACTERS &&
    PRINTABLE.test(tracestate);
  return isUsable ? { traceparent, tracestate } : { traceparent };
}
