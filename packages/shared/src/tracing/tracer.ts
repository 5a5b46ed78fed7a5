/** Where a trace goes on, in the form of W3C Trace Context (https://www.w3.org/TR/trace-context/). */
export interface TraceContext {
  /** `00-TRACEID-SPANID-FLAGS`, 55 characters. */
  readonly traceparent: string;
  readonly tracestate?: string;
}

/** What may be said of a span: constants, counts and sizes. Never keys, bodies, tokens, names of boxes or message ids. */
export type SpanAttributes = Readonly<Record<string, string | number | boolean | undefined>>;

export interface SpanFacts {
  /**
   * `server` and `consumer` begin something in this process: they belong to `parent`, or begin a trace. The others are a
   * part of the current span, and are left out when there is none. Default: `internal`.
   */
  readonly kind?: 'server' | 'consumer' | 'client' | 'producer' | 'internal';
  /** The span that this one belongs to. Default: the current one. */
  readonly parent?: TraceContext | undefined;
  readonly attributes?: SpanAttributes;
}

/** A piece of work in a trace. */
export interface Span {
  /** For work that goes on elsewhere. Undefined when nothing is traced. */
  readonly context: TraceContext | undefined;
  /** Gives a span that has begun with the name of its path the name of its route, for example. */
  rename(name: string): void;
  set(attributes: SpanAttributes): void;
  /**
   * Says how the work has failed.
   *
   * @param code an error code or the name of an error class; no text, because that may hold input
   * @param isOurs whether this is a fault of the server, and not of the client
   */
  fail(code: string, isOurs?: boolean): void;
  /** Ends the span. Later calls do nothing. */
  end(): void;
  /** Runs work with this as the current span. */
  run<T>(work: () => T): T;
}

/** Traces the work of a process. {@link NO_TRACER} does nothing, at the price of a call. */
export interface Tracer {
  readonly isOn: boolean;
  /** The span that the running work belongs to. Without one, what is said of it is dropped. */
  readonly current: Span;
  /** Begins a span, which the caller ends. */
  begin(name: string, facts?: SpanFacts): Span;
  /** Runs work as a span, which ends with it and fails with the name of what it throws. */
  trace<T>(name: string, facts: SpanFacts, work: (span: Span) => Promise<T>): Promise<T>;
  /** Exports what is left, for 5 seconds at most, and traces no more. Never rejects. */
  close(): Promise<void>;
}

/** The span of what is not traced. */
export const NO_SPAN: Span = {
  context: undefined,
  rename: () => undefined,
  set: () => undefined,
  fail: () => undefined,
  end: () => undefined,
  run: (work) => work(),
};

/** Traces nothing. */
export const NO_TRACER: Tracer = {
  isOn: false,
  current: NO_SPAN,
  begin: () => NO_SPAN,
  trace: (_name, _facts, work) => work(NO_SPAN),
  close: () => Promise.resolve(),
};
