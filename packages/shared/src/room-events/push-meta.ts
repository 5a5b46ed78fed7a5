import { getField } from '@messagebox/messages';
import { readTraceContext } from '../tracing/trace-context.js';
import type { TraceContext } from '../tracing/tracer.js';

/** What the publisher of a push event tells the receiving instances. Clients do not get it. */
export interface PushMeta {
  /** When the event was published: milliseconds since 1970. */
  readonly publishedAt: number | undefined;
  /** The trace that the event belongs to. */
  readonly trace: TraceContext | undefined;
}

/** Encodes it. Without a trace this is the time alone, as instances that know of no traces send it. */
export function toPushMeta(publishedAt: number, trace: TraceContext | undefined): number | object {
  return trace === undefined ? publishedAt : { publishedAt, ...trace };
}

/** Reads what another instance, perhaps of another version, has sent. */
export function readPushMeta(meta: unknown): PushMeta {
  const publishedAt = typeof meta === 'number' ? meta : getField(meta, 'publishedAt');
  return {
    publishedAt: typeof publishedAt === 'number' ? publishedAt : undefined,
    trace: readTraceContext(getField(meta, 'traceparent'), getField(meta, 'tracestate')),
  };
}
