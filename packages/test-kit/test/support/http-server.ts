import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PayloadWriter } from '../../src/http/payload-writer.js';
import type { InitialRequest } from '../../src/index.js';
import { StubServer } from './stub-server.js';

export interface StubAnswer {
  readonly status?: number;
  readonly body?: string | Uint8Array;
  /** Headers beside those of the signature, signed when they are named `x-bsv-*`. */
  readonly headers?: Record<string, string>;
  /** Headers of the signature that are other than they should be; `undefined` leaves one out. */
  readonly auth?: Record<string, string | undefined>;
  /** No signature at all. */
  readonly unsigned?: boolean;
}

/** A server for signed requests that answers what a test wants it to answer. */
export class HttpServer {
  readonly stub = new StubServer();
  /** What the next requests are answered. */
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
      .bytes(Buffer.from(id, 'base64'))
      .number(status)
      .headers(signed)
      .counted(body)
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
