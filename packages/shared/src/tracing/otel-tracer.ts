import type { Attributes, Context, Tracer as OtelApiTracer, Span as OtelSpan } from '@opentelemetry/api';
import type { TracerProvider } from '@opentelemetry/sdk-trace';
import pTimeout from 'p-timeout';
import { errorMessage } from '../logging/error-message.js';
import type { Logger } from '../logging/logger.js';
import { currentSpan } from './current-span.js';
import { openProvider } from './open-provider.js';
import { traceFetches } from './trace-fetches.js';
import { NO_SPAN, type Span, type SpanAttributes, type SpanFacts, type TraceContext, type Tracer } from './tracer.js';
import type { TracingConfig } from './tracing-config.js';

type Api = typeof import('@opentelemetry/api');

const CLOSE_TIMEOUT_MS = 5_000;

/** Traces with the SDK of OpenTelemetry. Load this file only when there is a receiver. */
export class OtelTracer implements Tracer {
  readonly isOn = true;
  readonly #tracer: OtelApiTracer;
  readonly #stopTracingFetches: () => void;

  private constructor(
    private readonly api: Api,
    private readonly createTraceState: (text: string) => import('@opentelemetry/api').TraceState,
    private readonly provider: TracerProvider,
    private readonly log: Logger,
  ) {
    this.#tracer = provider.getTracer('messagebox');
    this.#stopTracingFetches = traceFetches(this);
  }

  static async open(config: TracingConfig, service: string, log: Logger): Promise<OtelTracer> {
    const [api, { TraceState }, provider] = await Promise.all([
      import('@opentelemetry/api'),
      import('@opentelemetry/core'),
      openProvider(config, service, log),
    ]);
    return new OtelTracer(api, (text) => new TraceState(text), provider, log);
  }

  get current(): Span {
    return currentSpan.getStore() ?? NO_SPAN;
  }

  begin(name: string, { kind = 'internal', parent, attributes = {} }: SpanFacts = {}): Span {
    const isEntry = kind === 'server' || kind === 'consumer';
    const context = parent ?? (isEntry ? undefined : currentSpan.getStore()?.context);
    if (context === undefined && !isEntry) return NO_SPAN;
    const span = this.#tracer.startSpan(
      name,
      { kind: this.api.SpanKind[SPAN_KINDS[kind]], attributes: toAttributes(attributes) },
      context === undefined ? this.api.ROOT_CONTEXT : this.#toContext(context),
    );
    return new RecordedSpan(span, this.api);
  }

  async trace<T>(name: string, facts: SpanFacts, work: (span: Span) => Promise<T>): Promise<T> {
    const span = this.begin(name, facts);
    try {
      return await span.run(() => work(span));
    } catch (error) {
      span.fail(error instanceof Error ? error.name : 'error', true);
      throw error;
    } finally {
      span.end();
    }
  }

  async close(): Promise<void> {
    this.#stopTracingFetches();
    try {
      await pTimeout(this.provider.shutdown(), { milliseconds: CLOSE_TIMEOUT_MS });
    } catch (error) {
      this.log.warn({ reason: errorMessage(error) }, 'the last traces could not be exported');
    }
  }

  #toContext({ traceparent, tracestate }: TraceContext): Context {
    const [, traceId = '', spanId = '', flags = '00'] = traceparent.split('-');
    return this.api.trace.setSpanContext(this.api.ROOT_CONTEXT, {
      traceId,
      spanId,
      traceFlags: Number.parseInt(flags, 16) & this.api.TraceFlags.SAMPLED,
      isRemote: true,
      ...(tracestate === undefined ? {} : { traceState: this.createTraceState(tracestate) }),
    });
  }
}

const SPAN_KINDS = {
  server: 'SERVER',
  consumer: 'CONSUMER',
  client: 'CLIENT',
  producer: 'PRODUCER',
  internal: 'INTERNAL',
} as const;

class RecordedSpan implements Span {
  readonly context: TraceContext;
  #hasEnded = false;

  constructor(
    private readonly span: OtelSpan,
    private readonly api: Api,
  ) {
    const { traceId, spanId, traceFlags, traceState } = span.spanContext();
    const traceparent = `00-${traceId}-${spanId}-0${traceFlags & api.TraceFlags.SAMPLED}`;
    const tracestate = traceState?.serialize();
    this.context = tracestate === undefined || tracestate === '' ? { traceparent } : { traceparent, tracestate };
  }

  rename(name: string): void {
    if (!this.#hasEnded) this.span.updateName(name);
  }

  set(attributes: SpanAttributes): void {
    if (!this.#hasEnded) this.span.setAttributes(toAttributes(attributes));
  }

  fail(code: string, isOurs = false): void {
    if (this.#hasEnded) return;
    this.span.setAttribute('error.type', code);
    if (isOurs) this.span.setStatus({ code: this.api.SpanStatusCode.ERROR });
  }

  end(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.span.end();
  }

  run<T>(work: () => T): T {
    return currentSpan.run(this, work);
  }
}

function toAttributes(attributes: SpanAttributes): Attributes {
  return attributes as Attributes;
}
