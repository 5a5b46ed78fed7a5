import type { ExportResult } from '@opentelemetry/core';
import type { ReadableSpan, Sampler, SpanExporter, TracerProvider } from '@opentelemetry/sdk-trace';
import { errorMessage } from '../logging/error-message.js';
import type { Logger } from '../logging/logger.js';
import { currentSpan } from './current-span.js';
import type { TracingConfig } from './tracing-config.js';

type Sdk = typeof import('@opentelemetry/sdk-trace');

/** Spans that wait for their export. More are dropped. */
const MAX_WAITING_SPANS = 2_048;
const MAX_SPANS_PER_EXPORT = 512;
/** Exports that may be under way. */
const MAX_CONCURRENT_EXPORTS = 2;
const SPAN_LIMITS = {
  attributeCountLimit: 32,
  attributeValueLengthLimit: 256,
  eventCountLimit: 8,
  linkCountLimit: 8,
  attributePerEventCountLimit: 8,
  attributePerLinkCountLimit: 8,
};

/**
 * Loads the SDK of OpenTelemetry and sets it up: batches of spans go to the receiver as OTLP over HTTP, in JSON. Nothing is
 * registered globally, and the SDK reads no environment variable that is set here.
 */
export async function openProvider(config: TracingConfig, service: string, log: Logger): Promise<TracerProvider> {
  const [sdk, { OTLPTraceExporter }, { resourceFromAttributes }] = await Promise.all([
    import('@opentelemetry/sdk-trace'),
    import('@opentelemetry/exporter-trace-otlp-http'),
    import('@opentelemetry/resources'),
  ]);
  const exporter = new OTLPTraceExporter({
    url: `${config.endpoint.replace(/\/$/, '')}/v1/traces`,
    headers: { ...config.headers },
    timeoutMillis: config.timeoutMs,
    concurrencyLimit: MAX_CONCURRENT_EXPORTS,
  });
  return new sdk.TracerProvider({
    resource: resourceFromAttributes({
      'service.name': config.serviceName ?? `messagebox-${service}`,
      ...config.resourceAttributes,
    }),
    sampler: createSampler(sdk, config),
    spanLimits: SPAN_LIMITS,
    spanProcessors: [
      new sdk.BatchSpanProcessor({
        exporter: logOutages(exporter, log),
        maxQueueSize: MAX_WAITING_SPANS,
        maxExportBatchSize: MAX_SPANS_PER_EXPORT,
        scheduledDelayMillis: config.delayMs,
        exportTimeoutMillis: config.timeoutMs,
      }),
    ],
  });
}

function createSampler(sdk: Sdk, { sampler, sampledRatio }: TracingConfig): Sampler {
  const base = sampler.replace('parentbased_', '');
  const root =
    base === 'traceidratio'
      ? new sdk.TraceIdRatioBasedSampler(sampledRatio)
      : base === 'always_on'
        ? new sdk.AlwaysOnSampler()
        : new sdk.AlwaysOffSampler();
  return sampler.startsWith('parentbased_') ? new sdk.ParentBasedSampler({ root }) : root;
}

/** One line when the receiver stops taking spans, and one when it takes them again. */
function logOutages(exporter: SpanExporter, log: Logger): SpanExporter {
  let isFailing = false;
  const note = ({ code, error }: ExportResult) => {
    if (code === 0 && isFailing) log.info('traces are exported again');
    if (code !== 0 && !isFailing) log.warn({ reason: errorMessage(error) }, 'traces could not be exported');
    isFailing = code !== 0;
  };
  return {
    export: (spans: ReadableSpan[], done: (result: ExportResult) => void) =>
      // An export begins wherever a span ends, and belongs to no trace.
      currentSpan.exit(() =>
        exporter.export(spans, (result) => {
          note(result);
          done(result);
        }),
      ),
    shutdown: () => exporter.shutdown(),
  };
}
