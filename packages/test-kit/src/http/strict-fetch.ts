import type { AuthMessage, Bytes, GeneralMessage } from '../message/auth-message.js';
import { SessionTable } from '../peer/session-table.js';
import { StrictPeer } from '../peer/strict-peer.js';
import { ProtocolViolationError } from '../rules/protocol-violation-error.js';
import type { ClientWallet } from '../wallet/wallet.js';
import { readBody } from './read-body.js';
import { isSignedAnswer, toGeneralMessage } from './signed-answer.js';
import { prepareRequest, type RequestSettings, type SignedRequest } from './signed-request.js';
import { UnsignedAnswerError } from './unsigned-answer-error.js';

/** The largest response that current clients accept. SDK 2.8.0 to 2.8.8 accepted 4 MiB. */
export const MAX_ANSWER_BYTES = 16 * 1024 * 1024;
const MAX_HANDSHAKE_BYTES = 1024 * 1024;
const MAX_RETRIES = 3;

/** The argument of `new StrictFetch()`. */
export interface StrictFetchOptions {
  readonly wallet: ClientWallet;
  readonly sessions?: SessionTable;
  readonly maxAnswerBytes?: number;
  /** How long it may take to receive and verify a response. Milliseconds. Default: 30,000. */
  readonly timeoutMs?: number;
}

/** The server of one origin. */
interface Server {
  readonly peer: StrictPeer;
  /** The identity that the server has proven. */
  identityKey: string | undefined;
}

/** A request in progress. */
interface Exchange {
  readonly request: SignedRequest;
  readonly signal: AbortSignal;
  answer?: Response;
}

/**
 * Sends signed requests as strictly as the current `AuthFetch`: it checks handshakes, and the signatures and sizes of
 * responses, and has the same retries. It does not support payments on demand (402).
 */
export class StrictFetch {
  readonly #wallet: ClientWallet;
  readonly #sessions: SessionTable;
  readonly #maxBytes: number;
  readonly #timeoutMs: number;
  readonly #servers = new Map<string, Server>();
  /** The requests in progress by payload, which identifies the request of a message. */
  readonly #exchanges = new Map<Bytes, Exchange>();
  /** How many handshakes this client has begun. */
  handshakesBegun = 0;

  constructor({ wallet, sessions, maxAnswerBytes, timeoutMs }: StrictFetchOptions) {
    this.#wallet = wallet;
    this.#sessions = sessions ?? new SessionTable();
    this.#maxBytes = maxAnswerBytes ?? MAX_ANSWER_BYTES;
    this.#timeoutMs = timeoutMs ?? 30_000;
  }

  /**
   * Sends a signed request.
   *
   * @returns the verified response, with its signed headers and the identity of its signer in `x-bsv-auth-identity-key`
   * @throws ProtocolViolationError when current clients would not accept the response
   * @throws UnsignedAnswerError when the response has no signature, also after the retries of an unsigned 401
   * @throws TypeError when current clients do not send such a request
   */
  async fetch(url: string, settings: RequestSettings = {}): Promise<Response> {
    const target = new URL(url);
    for (let retries = 0; ; retries += 1) {
      const server = this.#getServer(target.origin);
      try {
        return await this.#exchange(server, prepareRequest(target, settings));
      } catch (error) {
        if (!isStaleSession(error, server)) throw error;
        this.#servers.delete(target.origin);
        if (retries === MAX_RETRIES) {
          throw new ProtocolViolationError('9.18', `a request got a 401 even after ${MAX_RETRIES} new handshakes`);
        }
      }
    }
  }

  async #exchange(server: Server, request: SignedRequest): Promise<Response> {
    const exchange: Exchange = { request, signal: AbortSignal.timeout(this.#timeoutMs) };
    this.#exchanges.set(request.payload, exchange);
    try {
      await server.peer.send(request.payload, server.identityKey);
    } catch (error) {
      if (!exchange.signal.aborted) throw error;
      throw new ProtocolViolationError('9.3', `a response was not received and verified within ${this.#timeoutMs} ms`);
    } finally {
      this.#exchanges.delete(request.payload);
    }
    if (exchange.answer === undefined) throw new Error('The response was verified, but is missing.');
    return exchange.answer;
  }

  #getServer(origin: string): Server {
    const known = this.#servers.get(origin);
    if (known !== undefined) return known;
    const server: Server = {
      identityKey: undefined,
      peer: new StrictPeer({
        wallet: this.#wallet,
        sessions: this.#sessions,
        transmit: (message) => this.#transmit(origin, server, message),
        onPayload: async (sender) => {
          server.identityKey = sender;
        },
      }),
    };
    this.#servers.set(origin, server);
    return server;
  }

  async #transmit(origin: string, server: Server, message: AuthMessage): Promise<void> {
    if (message.messageType === 'general') await this.#sendRequest(server, message);
    else await this.#sendHandshake(`${origin}/.well-known/auth`, server, message);
  }

  async #sendHandshake(url: string, server: Server, message: AuthMessage): Promise<void> {
    this.handshakesBegun += 1;
    const answer = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(message),
      redirect: 'error',
      signal: AbortSignal.timeout(this.#timeoutMs),
    });
    const body = await readBody(answer, MAX_HANDSHAKE_BYTES);
    if (!answer.ok) throw createUnsignedAnswerError(answer, body);
    await server.peer.receive(parseJson(body));
  }

  async #sendRequest(server: Server, message: GeneralMessage): Promise<void> {
    const exchange = this.#exchanges.get(message.payload);
    if (exchange === undefined) throw new Error('The signed message is not a request.');
    const { request, signal } = exchange;
    const answer = await fetch(request.url, {
      method: request.method,
      headers: [
        ...request.headers.map(([name, value]): [string, string] => [name, value]),
        ...formatAuthHeaders(message, request.id),
      ],
      redirect: 'error',
      signal,
      ...(request.body.length === 0 ? {} : { body: Uint8Array.from(request.body) }),
    });
    const body = await readBody(answer, this.#maxBytes);
    if (!isSignedAnswer(answer)) throw createUnsignedAnswerError(answer, body);
    const signed = toGeneralMessage(answer, body, request.id);
    await server.peer.receive(signed);
    signal.throwIfAborted();
    exchange.answer = createVerifiedAnswer(answer, body, server.identityKey ?? '');
  }
}

function formatAuthHeaders(
  { identityKey, nonce, yourNonce, signature }: GeneralMessage,
  id: string,
): [string, string][] {
  return [
    ['x-bsv-auth-version', '0.1'],
    ['x-bsv-auth-identity-key', identityKey],
    ['x-bsv-auth-nonce', nonce],
    ['x-bsv-auth-your-nonce', yourNonce],
    ['x-bsv-auth-signature', Buffer.from(signature).toString('hex')],
    ['x-bsv-auth-request-id', id],
  ];
}

/** Creates a response with the signed parts only. */
function createVerifiedAnswer({ status, headers }: Response, body: Uint8Array, signer: string): Response {
  const verified = new Headers(
    [...headers].filter(([name]) => name.startsWith('x-bsv-') && !name.startsWith('x-bsv-auth')),
  );
  verified.set('x-bsv-auth-identity-key', signer);
  return new Response(Uint8Array.from(body), { status, statusText: String(status), headers: verified });
}

function createUnsignedAnswerError({ status }: Response, body: Uint8Array): UnsignedAnswerError {
  return new UnsignedAnswerError(status, Buffer.from(body.subarray(0, 1_024)).toString('utf8'));
}

function isStaleSession(error: unknown, { identityKey }: Server): boolean {
  if (!(error instanceof UnsignedAnswerError)) return false;
  return error.body.includes('Session not found for nonce') || (error.status === 401 && identityKey !== undefined);
}

function parseJson(body: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(body).toString('utf8'));
  } catch {
    throw new ProtocolViolationError('3', 'the response to a handshake is not JSON');
  }
}
