import type { Logger } from '../logging/logger.js';
import { NO_TRACER, type Tracer } from './tracer.js';
import type { TracingConfig } from './tracing-config.js';

/**
 * Opens the tracer of a process. OpenTelemetry is loaded only when there is a receiver.
 *
 * @param config undefined: nothing is traced
 * @param service `api`, `realtime`, `overlay` or `standalone`
 */
export async function openTracer(config: TracingConfig | undefined, service: string, log: Logger): Promise<Tracer> {
  if (config === undefined) return NO_TRACER;
  const { OtelTracer } = await import('./otel-tracer.js');
  return await OtelTracer.open(config, service, log);
}
