import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PayloadWriter } from '../../src/http/payload-writer.js';
import type { InitialRequest } from '../../src/index.js';
import { StubServer } from './stub-server.js';

export interface StubAnswer {
  readonly status?: number;
  readonly body?: string | Uint8Array;
  /** Headers in addition to the auth headers. Those named `x-bsv-*` are signed. */
  readonly headers?: Record<string, string>;
  /** Auth headers that replace the correct ones. `undefined` omits a header. */
  readonly auth?: Record<string, string | undefined>;
  /** Whether the response has no signature. */
  readonly unsigned?: boolean;
}

/** A server for signed requests whose responses a test chooses. */
export class HttpServer {
  readonly stub = new StubServer();
  /** The response to the next requests. */
  respond: (request: { url: string; body: string }) => StubAnswer | Promise<StubAnswer> = () => ({});
  handshakes = 0;
  requests = 0;
  readonly #sessions = new Map<string, string>();
  readonly #http = createServer((request, response) => void this.#serve(request, response));

  async open(): Promise<string> {
    this.#http.listen(0, '127.0.0.1');
    await once(this.#http, 'listening');
    return `http://127.0.0.1:${(this.#http.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    const closed = once(this.#http, 'close');
    this.#http.close();
    this.#http.closeAllConnections();
    await closed;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const body = Buffer.concat(parts).toString('utf8');
    if (request.url === '/.well-known/auth') {
      this.handshakes += 1;
      const answer = await this.stub.answer(JSON.parse(body) as InitialRequest);
      this.#sessions.set(answer.initialNonce, answer.yourNonce);
      response.end(JSON.stringify(answer));
      return;
    }
    this.requests += 1;
    await this.#answer(request, response, await this.respond({ url: request.url ?? '', body }));
  }

  async #answer(request: IncomingMessage, response: ServerResponse, answer: StubAnswer): Promise<void> {
    const { status = 200, headers = {}, unsigned = false, auth = {} } = answer;
    const body = Buffer.from(answer.body ?? '{"status":"success"}');
    if (unsigned) {
      response.writeHead(status, headers).end(body);
      return;
    }
    const header = (name: string) => String(request.headers[`x-bsv-auth-${name}`]);
    const id = header('request-id');
    const signed = Object.entries(headers).filter(([name]) => name.startsWith('x-bsv-'));
    const payload = new PayloadWriter()
      .writeBytes(Buffer.from(id, 'base64'))
      .writeNumber(status)
      .writeHeaders(signed)
      .writeCounted(body)
      .finish();
    const message = await this.stub.say(
      header('identity-key'),
      this.#sessions.get(header('your-nonce')) ?? '',
      payload,
    );
    const authHeaders: Record<string, string | undefined> = {
      version: '0.1',
      'message-type': 'general',
      'identity-key': message.identityKey,
      nonce: message.nonce,
      'your-nonce': message.yourNonce,
      signature: Buffer.from(message.signature).toString('hex'),
      'request-id': id,
      ...auth,
    };
    for (const [name, value] of Object.entries(authHeaders)) {
      if (value !== undefined) response.setHeader(`x-bsv-auth-${name}`, value);
    }
    response.writeHead(status, headers).end(body);
  }
}
