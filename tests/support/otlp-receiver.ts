import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

/** A span as it arrived. */
export interface ReceivedSpan {
  readonly service: string;
  readonly traceId: string;
  readonly spanId: string;
  /** Empty for the first span of a trace. */
  readonly parentSpanId: string;
  readonly name: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  /** 2: the server has failed. */
  readonly status: number | undefined;
}

export interface OtlpReceiver {
  readonly url: string;
  readonly spans: readonly ReceivedSpan[];
  /** All that has arrived, as text. */
  readonly text: string;
  /** Requests so far, answered or not. */
  readonly requests: number;
  /** The headers of the last request. */
  readonly headers: Readonly<Record<string, unknown>>;
  /** How requests are answered from now on. `nothing` leaves them open. */
  answer: 'success' | 'error' | 'nothing';
  close(): Promise<void>;
}

interface OtlpAttribute {
  readonly key: string;
  readonly value: Readonly<Record<string, unknown>>;
}

interface OtlpBody {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly OtlpAttribute[] };
    readonly scopeSpans: readonly {
      readonly spans: readonly (Omit<ReceivedSpan, 'attributes' | 'status' | 'parentSpanId'> & {
        readonly parentSpanId?: string;
        readonly attributes: readonly OtlpAttribute[];
        readonly status?: { readonly code?: number };
      })[];
    }[];
  }[];
}

/** Receives traces on loopback, as a collector of OpenTelemetry does: `POST /v1/traces`, OTLP in JSON. */
export async function startOtlpReceiver(): Promise<OtlpReceiver> {
  const spans: ReceivedSpan[] = [];
  const sockets = new Set<Socket>();
  const state = { answer: 'success' as OtlpReceiver['answer'], text: '', requests: 0, headers: {} };
  const server = createServer((request, response) => void receive(request, response));
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  const receive = async (request: IncomingMessage, response: ServerResponse) => {
    state.requests += 1;
    state.headers = request.headers;
    const isFor = request.method === 'POST' && request.url === '/v1/traces';
    if (state.answer === 'nothing') return;
    const body = await readText(request);
    if (!isFor || state.answer === 'error') {
      response.writeHead(isFor ? 400 : 404).end();
      return;
    }
    state.text += body;
    spans.push(...readSpans(JSON.parse(body) as OtlpBody));
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
  };
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans,
    get text() {
      return state.text;
    },
    get requests() {
      return state.requests;
    },
    get headers() {
      return state.headers;
    },
    get answer() {
      return state.answer;
    },
    set answer(answer) {
      state.answer = answer;
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

async function readText(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

function readSpans({ resourceSpans }: OtlpBody): ReceivedSpan[] {
  return resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap(({ spans }) =>
      spans.map((span) => ({
        ...span,
        service: String(readAttributes(resource.attributes)['service.name']),
        parentSpanId: span.parentSpanId ?? '',
        attributes: readAttributes(span.attributes),
        status: span.status?.code,
      })),
    ),
  );
}

/** An attribute is `{key, value: {stringValue}}`, or `intValue` and so on. */
function readAttributes(attributes: readonly OtlpAttribute[]): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));
}
