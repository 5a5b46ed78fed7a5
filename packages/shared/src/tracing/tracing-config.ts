/** The names of `OTEL_TRACES_SAMPLER`. */
export const samplerNames = [
  'always_on',
  'always_off',
  'traceidratio',
  'parentbased_always_on',
  'parentbased_always_off',
  'parentbased_traceidratio',
] as const;

export type SamplerName = (typeof samplerNames)[number];

/** Where traces go, and which of them. The names are those of OpenTelemetry's environment variables. */
export interface TracingConfig {
  /** Base URL of the receiver. `/v1/traces` is added to it. */
  readonly endpoint: string;
  /** Headers of requests to the receiver. They may hold a secret. */
  readonly headers: Readonly<Record<string, string>>;
  /** How long one export may take. */
  readonly timeoutMs: number;
  /** How long spans wait for others. */
  readonly delayMs: number;
  /** Undefined: `messagebox-` and the service. */
  readonly serviceName: string | undefined;
  readonly resourceAttributes: Readonly<Record<string, string>>;
  readonly sampler: SamplerName;
  /** The share of traces that the ratio samplers take, from 0 to 1. */
  readonly sampledRatio: number;
}
