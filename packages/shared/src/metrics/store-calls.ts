import { NO_TRACER, type Span, type Tracer } from '../tracing/tracer.js';
import type { Metrics } from './metrics.js';

/** Times and traces calls to the database. */
export class StoreCalls {
  constructor(
    private readonly metrics: Metrics,
    private readonly tracer: Tracer = NO_TRACER,
  ) {}

  /** @param call the label of the metric, and the name of the span */
  run<T>(call: string, work: (span: Span) => Promise<T>): Promise<T> {
    return this.tracer.trace(call, { kind: 'client' }, (span) => this.metrics.timeStoreCall(call, () => work(span)));
  }
}
