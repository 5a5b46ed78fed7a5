import type { Socket } from 'node:net';
import { type RawClient, Session, type WireRequest } from '@messagebox/test-support/raw-client';
import { connectEndpoint, type Endpoint, LOCAL, type Source, sourceHeaders } from './endpoint.ts';

export interface HttpAnswer {
  readonly status: number;
  /** Status line and headers, as they came. */
  readonly head: string;
  readonly text: string;
}

const HEAD_END = Buffer.from('\r\n\r\n');
const LAST_CHUNK = Buffer.from('0\r\n\r\n');

/**
 * One HTTP/1.1 connection that is kept alive, with one request at a time. It does no more than it must, so that the load
 * generators don't use up the machine whose servers are judged.
 */
export class HttpConnection {
  #chunks: Buffer[] = [];
  #bytes = 0;
  #needed = 0;
  #waiting: { resolve: (answer: HttpAnswer) => void; reject: (error: Error) => void } | undefined;
  readonly ended: Promise<void>;

  private constructor(
    readonly socket: Socket,
    private readonly source: Source,
  ) {
    socket.on('data', (chunk) => this.#take(chunk));
    this.ended = new Promise((resolve) => {
      const end = () => {
        this.#fail(new Error('The server ended the connection'));
        resolve();
      };
      socket.on('end', end).on('close', end);
    });
  }

  static async open(endpoint: Endpoint, source: Source = LOCAL): Promise<HttpConnection> {
    return new HttpConnection(await connectEndpoint(endpoint, source), source);
  }

  get isOpen(): boolean {
    return !this.socket.destroyed && !this.socket.readableEnded;
  }

  /** Sends bytes as they are, without waiting for anything. */
  write(bytes: string | Uint8Array): void {
    this.socket.write(bytes);
  }

  /** Sends a request and leaves its answer, if there is one, to the caller. */
  post(request: WireRequest): void {
    this.write(encodeRequestHead(request, this.source));
    if (request.body !== undefined) this.socket.write(request.body);
  }

  /** @throws {Error} when the connection ends first, or when the answer takes longer than `patienceMs` */
  async exchange(request: WireRequest, timeoutMs = 20_000): Promise<HttpAnswer> {
    const answered = this.nextAnswer(timeoutMs);
    this.post(request);
    return await answered;
  }

  /** The next answer that comes on this connection. */
  async nextAnswer(timeoutMs = 20_000): Promise<HttpAnswer> {
    let timer: NodeJS.Timeout | undefined;
    try {
      return await new Promise<HttpAnswer>((resolve, reject) => {
        if (!this.isOpen) {
          reject(new Error('The connection is over'));
          return;
        }
        this.#waiting = { resolve, reject };
        timer = setTimeout(() => {
          this.#fail(new Error('No answer came in time'));
          this.destroy();
        }, timeoutMs);
      });
    } finally {
      clearTimeout(timer);
    }
  }

  /** Reads nothing any more: what the server sends waits there. */
  stopReading(): void {
    this.socket.pause();
  }

  destroy(): void {
    this.socket.destroy();
  }

  #take(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    if (this.#bytes < this.#needed) return;
    const received = Buffer.concat(this.#chunks);
    this.#chunks = [received];
    const headEnd = received.indexOf(HEAD_END);
    if (headEnd < 0) return;
    const head = received.toString('latin1', 0, headEnd);
    const start = headEnd + HEAD_END.length;
    const announced = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
    let end = start + Number(announced ?? 0);
    if (announced === undefined && /\r\ntransfer-encoding: *chunked/i.test(head)) {
      const last = received.indexOf(LAST_CHUNK, start);
      if (last < 0) return;
      end = last + LAST_CHUNK.length;
    }
    if (received.length < end) {
      this.#needed = end;
      return;
    }
    const rest = received.subarray(end);
    this.#chunks = [rest];
    this.#bytes = rest.length;
    this.#needed = 0;
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.resolve({ status: Number(head.slice(9, 12)), head, text: received.toString('utf8', start, end) });
  }

  #fail(error: Error): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.reject(error);
  }
}

/** The head of a request, with Host, Content-Length and what the source adds. */
export function encodeRequestHead({ method, path, headers, body }: WireRequest, source: Source): string {
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  const length = body === undefined ? '' : `Content-Length: ${body.length}\r\n`;
  return `${method} ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n${sourceHeaders(source)}${lines}${length}\r\n`;
}

export function createHandshakeRequest(client: RawClient): WireRequest {
  return {
    method: 'POST',
    path: '/.well-known/auth',
    headers: [['Content-Type', 'application/json']],
    body: Buffer.from(JSON.stringify(client.initialRequest())),
  };
}

/** Shakes hands over this connection. @throws {Error} when the server refuses */
export async function shakeHands(wire: HttpConnection, client: RawClient): Promise<Session> {
  const { status, text } = await wire.exchange(createHandshakeRequest(client));
  if (status !== 200) throw new Error(`The handshake was refused with ${status}`);
  return Session.from(client, JSON.parse(text));
}
