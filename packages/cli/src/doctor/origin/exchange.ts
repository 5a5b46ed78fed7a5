import { type IncomingHttpHeaders, type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import type { Duplex } from 'node:stream';
import { withTimeLimit } from '../time-limit.js';

/** Bytes of an answer that are read. None that doctor asks for is nearly as large. */
const MAX_ANSWER_BYTES = 4_000_000;

export interface ExchangeRequest {
  readonly method: string;
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
}

/** An answer, byte for byte as it arrived. */
export interface ExchangeAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/**
 * Sends one request over a connection of its own, so that each may reach another instance. Certificates are not checked here:
 * that is a check of its own, and the others look further.
 *
 * @throws {TimeLimitError}, or the system's error with its `code`
 */
export function exchange(request: ExchangeRequest, limitMs: number): Promise<ExchangeAnswer> {
  return withTimeLimit(limitMs, async (signal) => {
    const response = await send(request, signal);
    if (!('status' in response)) {
      response.socket.destroy();
      throw new Error('The server switched to another protocol.');
    }
    return response;
  });
}

/**
 * Asks for a websocket.
 *
 * @returns the first frame's text when the server switches, or its answer when it refuses
 */
export function upgrade(
  request: ExchangeRequest,
  limitMs: number,
): Promise<ExchangeAnswer | { readonly firstFrame: string }> {
  return withTimeLimit(limitMs, async (signal) => {
    const response = await send(request, signal);
    if ('status' in response) return response;
    try {
      return { firstFrame: await readFirstFrame(response.socket, response.head) };
    } finally {
      response.socket.destroy();
    }
  });
}

type Upgraded = { readonly socket: Duplex; readonly head: Buffer };

function send(
  { method, url, headers = {}, body }: ExchangeRequest,
  signal: AbortSignal,
): Promise<ExchangeAnswer | Upgraded> {
  return new Promise((resolve, reject) => {
    const start = url.startsWith('https:') ? requestHttps : requestHttp;
    const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) };
    const request = start(url, {
      method,
      headers: { ...headers, ...length },
      agent: false,
      signal,
      rejectUnauthorized: false,
    });
    request.once('error', reject);
    request.once('upgrade', (_response, socket, head) => resolve({ socket, head }));
    request.once('response', (response) => {
      readAnswer(response).then(resolve, reject);
    });
    request.end(body);
  });
}

async function readAnswer(response: IncomingMessage): Promise<ExchangeAnswer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response) {
    size += (chunk as Buffer).length;
    if (size > MAX_ANSWER_BYTES) throw new Error('The answer is too large.');
    chunks.push(chunk as Buffer);
  }
  return { status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) };
}

/** The payload of a short unmasked text frame (RFC 6455, section 5.2), which is what engine.io opens with. */
async function readFirstFrame(socket: Duplex, head: Buffer): Promise<string> {
  let bytes = head;
  const isComplete = () => bytes.length >= 2 && bytes.length >= 2 + ((bytes[1] ?? 0) & 0x7f);
  if (!isComplete()) {
    for await (const chunk of socket) {
      bytes = Buffer.concat([bytes, chunk as Buffer]);
      if (isComplete()) break;
    }
  }
  const length = (bytes[1] ?? 0) & 0x7f;
  // A longer form of the length means that it is not the short opening.
  return length > 125 ? bytes.subarray(2).toString('latin1') : bytes.subarray(2, 2 + length).toString('utf8');
}
