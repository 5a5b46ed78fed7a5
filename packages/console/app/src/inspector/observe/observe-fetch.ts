import { encodeUtf8 } from '../wire/bytes.js';
import { guard, guardAsync } from './guard.js';
import {
  type Header,
  type HttpAnswer,
  type HttpExchange,
  keepBody,
  MAX_BODY_BYTES,
  type RecordedBody,
  type TrafficSink,
} from './traffic.js';

type Fetch = typeof globalThis.fetch;

/**
 * Wraps `fetch`: what it does stays the same, and each request and answer is recorded. Answers are read from a clone, so
 * the caller has the whole body to itself; of a long one only the first part is read.
 */
export function observeFetch(original: Fetch, sink: TrafficSink, baseUrl: string): Fetch {
  return function fetch(this: unknown, ...args: Parameters<Fetch>): ReturnType<Fetch> {
    const exchange = guard(() => recordRequest(args, sink, baseUrl));
    const answered: ReturnType<Fetch> = Reflect.apply(original, this ?? globalThis, args);
    if (exchange === undefined) return answered;
    return answered.then(
      (response) => {
        guard(() => recordAnswer(exchange, response, sink));
        return response;
      },
      (error: unknown) => {
        exchange.failure = error instanceof Error ? error.message : String(error);
        sink.change(exchange);
        throw error;
      },
    );
  };
}

function recordRequest(args: Parameters<Fetch>, sink: TrafficSink, baseUrl: string): HttpExchange {
  const [input, init] = args;
  const request = input instanceof Request ? input : undefined;
  const exchange: HttpExchange = {
    kind: 'http',
    id: sink.nextId(),
    via: 'fetch',
    at: Date.now(),
    method: (init?.method ?? request?.method ?? 'GET').toUpperCase(),
    url: new URL(request?.url ?? String(input), baseUrl).href,
    requestHeaders: readHeaders(init?.headers ?? request?.headers),
    requestBody: init?.body == null ? undefined : readBody(init.body),
    answer: undefined,
    failure: undefined,
  };
  sink.add(exchange);
  if (request !== undefined && init?.body == null && request.body !== null) {
    const copy = request.clone();
    void guardAsync(async () => {
      exchange.requestBody = await readStart(copy.body, undefined);
      sink.change(exchange);
    });
  }
  return exchange;
}

function recordAnswer(exchange: HttpExchange, response: Response, sink: TrafficSink): void {
  const answer: HttpAnswer = {
    status: response.status,
    statusText: response.statusText,
    headers: readHeaders(response.headers),
    at: Date.now(),
    body: undefined,
  };
  exchange.answer = answer;
  sink.change(exchange);
  const copy = response.clone();
  void guardAsync(async () => {
    // The length that was announced is that of the coded content, not of what is read here.
    const announced = response.headers.has('content-encoding') ? null : response.headers.get('content-length');
    answer.body = await readStart(copy.body, announced === null ? undefined : Number(announced));
    sink.change(exchange);
  });
}

/** Reads a stream up to {@link MAX_BODY_BYTES} and leaves the rest. */
async function readStart(
  stream: ReadableStream<Uint8Array> | null,
  announcedBytes: number | undefined,
): Promise<RecordedBody> {
  if (stream === null) return { bytes: new Uint8Array(), totalBytes: 0 };
  const kept = new Uint8Array(MAX_BODY_BYTES);
  let length = 0;
  const reader = stream.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return { bytes: kept.slice(0, length), totalBytes: length };
    const fits = value.subarray(0, MAX_BODY_BYTES - length);
    kept.set(fits, length);
    length += fits.length;
    if (fits.length < value.length) break;
  }
  void guardAsync(() => reader.cancel());
  return { bytes: kept, totalBytes: announcedBytes };
}

/** The entries of headers in any of the forms that `fetch` takes. */
function readHeaders(headers: RequestInit['headers']): Header[] {
  if (headers === undefined) return [];
  const isListed = Array.isArray(headers) || typeof (headers as Partial<Headers>).forEach === 'function';
  const entries = isListed
    ? Array.from(headers as Iterable<readonly [string, string]>)
    : Object.entries(headers as Record<string, string>);
  return entries.map(([name, value]): Header => [String(name), String(value)]);
}

function readBody(body: NonNullable<RequestInit['body']>): RecordedBody {
  if (typeof body === 'string') return keepBody(encodeUtf8(body));
  if (body instanceof URLSearchParams) return keepBody(encodeUtf8(body.toString()));
  if (ArrayBuffer.isView(body)) return keepBody(new Uint8Array(body.buffer, body.byteOffset, body.byteLength));
  if (body instanceof ArrayBuffer) return keepBody(new Uint8Array(body));
  return { bytes: new Uint8Array(), totalBytes: undefined, note: 'The body was a stream, a file or a form.' };
}
