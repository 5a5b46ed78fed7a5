import { decodeUtf8, encodeUtf8 } from '../wire/bytes.js';
import { guard } from './guard.js';
import { createSeenPacket } from './observe-websocket.js';
import {
  type Header,
  type HttpExchange,
  keepBody,
  type RecordedBody,
  type SeenPacket,
  type TrafficSink,
} from './traffic.js';

/** The part of an XMLHttpRequest that is observed. */
interface ObservableXhr {
  open: (method: string, url: string, ...more: never[]) => void;
  setRequestHeader: (name: string, value: string) => void;
  send: (body?: unknown) => void;
  readonly status: number;
  readonly statusText?: string;
  readonly responseType?: string;
  readonly response?: unknown;
  readonly responseText?: string;
  getAllResponseHeaders(): string | null;
  addEventListener(type: string, listener: () => void): void;
}

type XhrConstructor = new (...args: never[]) => object;

/** Separates the packets in the body of a long poll (engine.io, version 4). */
const PACKET_SEPARATOR = '\x1e';

/**
 * Wraps the constructor `XMLHttpRequest`: requests behave as before and are recorded. Long polls of socket.io are recorded
 * as the packets that they carry; all else, and polls that fail, as requests.
 */
export function observeXhr<T extends XhrConstructor>(original: T, sink: TrafficSink, baseUrl: string): T {
  return new Proxy(original, {
    construct(target, args: unknown[], newTarget) {
      const xhr: object = Reflect.construct(target, args, newTarget);
      guard(() => watch(xhr as ObservableXhr, sink, baseUrl));
      return xhr;
    },
  });
}

function watch(xhr: ObservableXhr, sink: TrafficSink, baseUrl: string): void {
  const { open, setRequestHeader, send } = xhr;
  let opened = { method: 'GET', url: baseUrl };
  let headers: Header[] = [];
  let exchange: HttpExchange | undefined;

  override(xhr, 'open', open, (method, url) => {
    opened = { method: String(method).toUpperCase(), url: new URL(String(url), baseUrl).href };
    headers = [];
  });
  override(xhr, 'setRequestHeader', setRequestHeader, (name, value) => headers.push([String(name), String(value)]));
  override(xhr, 'send', send, (body) => {
    exchange = {
      kind: 'http',
      id: sink.nextId(),
      via: 'xhr',
      at: Date.now(),
      ...opened,
      requestHeaders: headers,
      requestBody: body == null ? undefined : readBody(body),
      answer: undefined,
      failure: undefined,
    };
    if (isLongPoll(exchange)) addPackets(exchange, 'sent', sink);
    else sink.add(exchange);
  });
  xhr.addEventListener('load', () =>
    guard(() => {
      if (exchange === undefined) return;
      exchange.answer = readAnswer(xhr);
      if (!isLongPoll(exchange)) sink.change(exchange);
      else if (exchange.answer.status !== 200) sink.add(exchange);
      else if (exchange.method === 'GET') addPackets(exchange, 'received', sink);
    }),
  );
  for (const type of ['error', 'timeout'] as const) {
    xhr.addEventListener(type, () =>
      guard(() => {
        if (exchange === undefined) return;
        exchange.failure = type === 'error' ? 'The server could not be reached.' : 'The request took too long.';
        if (isLongPoll(exchange)) sink.add(exchange);
        else sink.change(exchange);
      }),
    );
  }
}

function override<T extends (...args: never[]) => unknown>(
  xhr: ObservableXhr,
  name: 'open' | 'send' | 'setRequestHeader',
  original: T,
  before: (...args: unknown[]) => unknown,
): void {
  Object.defineProperty(xhr, name, {
    configurable: true,
    writable: true,
    value(...args: unknown[]) {
      guard(() => before(...args));
      return Reflect.apply(original, xhr, args) as unknown;
    },
  });
}

function isLongPoll({ url }: HttpExchange): boolean {
  const { searchParams } = new URL(url);
  return searchParams.get('transport') === 'polling' && searchParams.has('EIO');
}

/** Records the packets in the body of a long poll, each by itself. */
function addPackets(exchange: HttpExchange, direction: SeenPacket['direction'], sink: TrafficSink): void {
  const body = direction === 'sent' ? exchange.requestBody : exchange.answer?.body;
  const text = body === undefined ? undefined : decodeUtf8(body.bytes);
  if (text === undefined || text === '') return;
  // The packets hold the bodies; a copy in each of them would count many times.
  const answer = exchange.answer && { ...exchange.answer, body: undefined };
  const carrier = { ...exchange, requestBody: undefined, answer };
  for (const data of text.split(PACKET_SEPARATOR)) {
    sink.add(
      createSeenPacket({ sink, direction, transport: 'polling', socket: undefined, url: exchange.url, data, carrier }),
    );
  }
}

function readAnswer(xhr: ObservableXhr): NonNullable<HttpExchange['answer']> {
  const lines = (xhr.getAllResponseHeaders() ?? '').split('\r\n').filter((line) => line.includes(':'));
  return {
    status: xhr.status,
    statusText: xhr.statusText ?? '',
    headers: lines.map((line): Header => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon), line.slice(colon + 1).trim()];
    }),
    at: Date.now(),
    body: readAnswerBody(xhr),
  };
}

function readAnswerBody(xhr: ObservableXhr): RecordedBody {
  const type = xhr.responseType ?? '';
  if (type === '' || type === 'text') return readBody(xhr.responseText ?? '');
  if (xhr.response instanceof ArrayBuffer) return readBody(xhr.response);
  return { bytes: new Uint8Array(), totalBytes: undefined, note: `The body was read as ${type}.` };
}

function readBody(body: unknown): RecordedBody {
  if (typeof body === 'string') return keepPacketText(body);
  if (body instanceof ArrayBuffer) return keepBody(new Uint8Array(body));
  if (ArrayBuffer.isView(body)) return keepBody(new Uint8Array(body.buffer, body.byteOffset, body.byteLength));
  return { bytes: new Uint8Array(), totalBytes: undefined, note: 'The body was a file, a form or a document.' };
}

/** Keeps all of a text: {@link createSeenPacket} and `isLongPoll` decide what of it is recorded. */
function keepPacketText(text: string): RecordedBody {
  const bytes = encodeUtf8(text);
  return { bytes, totalBytes: bytes.length };
}
