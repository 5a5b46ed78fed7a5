import { createLogger } from '../src/index.js';
import { readPushMeta, toPushMeta } from '../src/room-events/push-meta.js';
import { currentSpan } from '../src/tracing/current-span.js';
import { openTracer } from '../src/tracing/open-tracer.js';
import { readTraceContext } from '../src/tracing/trace-context.js';
import { NO_SPAN, NO_TRACER } from '../src/tracing/tracer.js';

const TRACE = 'ab'.repeat(16);
const traceparent = `00-${TRACE}-${'cd'.repeat(8)}-01`;

describe('a trace context from outside', () => {
  test('is read when it is one', () => {
    expect(readTraceContext(traceparent, 'vendor=1')).toEqual({ traceparent, tracestate: 'vendor=1' });
    expect(readTraceContext(traceparent)).toEqual({ traceparent });
  });

  test.each([
    undefined,
    42,
    ['a'],
    '',
    `${traceparent} `,
    traceparent.toUpperCase(),
    `01-${traceparent.slice(3)}`,
    `00-${'0'.repeat(32)}-${'cd'.repeat(8)}-01`,
    `00-${TRACE}-${'0'.repeat(16)}-01`,
    `00-${TRACE}-${'cd'.repeat(8)}-0g`,
  ])('counts as none when it is %j', (value) => {
    expect(readTraceContext(value, 'vendor=1')).toBeUndefined();
  });

  test.each([undefined, '', 'x'.repeat(513), 'a=\n', 'a=ü', 1])(
    'keeps its trace without the state %j',
    (tracestate) => {
      expect(readTraceContext(traceparent, tracestate)).toEqual({ traceparent });
    },
  );
});

describe('what the publisher of a room event tells', () => {
  test('is the time alone without a trace, as instances of 0.1.0 read and send it', () => {
    expect(toPushMeta(1_000, undefined)).toBe(1_000);
    expect(readPushMeta(1_000)).toEqual({ publishedAt: 1_000, trace: undefined });
  });

  test('has the trace as well', () => {
    const meta: unknown = JSON.parse(JSON.stringify(toPushMeta(1_000, { traceparent, tracestate: 'vendor=1' })));
    expect(readPushMeta(meta)).toEqual({ publishedAt: 1_000, trace: { traceparent, tracestate: 'vendor=1' } });
  });

  test.each([undefined, null, 'x', [], { publishedAt: 'x', traceparent: 'x' }])('is nothing in %j', (meta) => {
    expect(readPushMeta(meta)).toEqual({ publishedAt: undefined, trace: undefined });
  });
});

describe('without a receiver', () => {
  const log = createLogger('test', 'info', { write: () => undefined });

  test('there is a tracer that only runs the work', async () => {
    const tracer = await openTracer(undefined, 'api', log);
    expect(tracer).toBe(NO_TRACER);
    const span = tracer.begin('x', { kind: 'server' });
    expect([span, tracer.current, span.context]).toEqual([NO_SPAN, NO_SPAN, undefined]);
    expect(await tracer.trace('x', {}, async () => 'result')).toBe('result');
    await expect(tracer.trace('x', {}, () => Promise.reject(new RangeError('no')))).rejects.toThrow(RangeError);
    expect(span.run(() => currentSpan.getStore())).toBeUndefined();
  });
});

describe('with a receiver', () => {
  const config = {
    // Nobody listens there, and nothing is exported: spans wait for a minute.
    endpoint: 'http://127.0.0.1:9',
    headers: {},
    timeoutMs: 100,
    delayMs: 60_000,
    serviceName: undefined,
    resourceAttributes: {},
    sampler: 'parentbased_always_on' as const,
    sampledRatio: 1,
  };
  const lines: Record<string, unknown>[] = [];
  const log = createLogger('test', 'info', { write: (line) => void lines.push(JSON.parse(line)) });

  test('a span is current for the work that it runs, and log lines name it', async () => {
    const tracer = await openTracer(config, 'api', log);
    try {
      await tracer.trace('request', { kind: 'server', parent: { traceparent } }, async (span) => {
        await new Promise((resolve) => setImmediate(resolve));
        expect(tracer.current).toBe(span);
        log.info('within');
        expect(tracer.begin('part').context?.traceparent).toContain(TRACE);
      });
      log.info('without');
      expect(lines.map(({ msg, trace_id }) => [msg, trace_id])).toEqual([
        ['within', TRACE],
        ['without', undefined],
      ]);
    } finally {
      await tracer.close();
    }
  });

  test('a part of nothing is not traced, and an entry begins a trace whatever runs it', async () => {
    const tracer = await openTracer(config, 'api', log);
    try {
      expect(tracer.begin('part', { kind: 'client' })).toBe(NO_SPAN);
      const one = tracer.begin('one', { kind: 'server', parent: { traceparent } });
      const other = one.run(() => tracer.begin('other', { kind: 'consumer' }));
      expect(one.context?.traceparent).toContain(TRACE);
      expect(other.context?.traceparent).not.toContain(TRACE);
    } finally {
      await tracer.close();
    }
  });

  test('the state of a trace is handed on', async () => {
    const tracer = await openTracer(config, 'api', log);
    try {
      const parent = { traceparent, tracestate: 'vendor=1' };
      expect(tracer.begin('x', { kind: 'server', parent }).context?.tracestate).toBe('vendor=1');
    } finally {
      await tracer.close();
    }
  });
});
