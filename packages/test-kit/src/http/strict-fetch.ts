import type { AuthMessage, Bytes, GeneralMessage } from '../message/auth-message.js';
import { SessionTable } from '../peer/session-table.js';
import { StrictPeer } from '../peer/strict-peer.js';
import { ProtocolViolation } from '../rules/protocol-violation.js';
import type { ClientWallet } from '../wallet/wallet.js';
import { readBody } from './read-body.js';
import { isSigned, messageOfAnswer } from './signed-answer.js';
import { prepareRequest, type RequestSettings, type SignedRequest } from './signed-request.js';
import { UnsignedAnswer } from './unsigned-answer.js';

/** How many bytes an answer may have; SDK 2.8.0 to 2.8.8 took 4 MiB. */
export const MAX_ANSWER_BYTES = 16 * 1024 * 1024;
const MAX_HANDSHAKE_BYTES = 1024 * 1024;
const MAX_RETRIES = 3;

export interface StrictFetchOptions {
  readonly wallet: ClientWallet;
  readonly sessions?: SessionTable;
  readonly maxAnswerBytes?: number;
  /** How long an answer may take until it has been received and verified, in milliseconds; 30 s by default. */
  readonly timeoutMs?: number;
}

/** What is known of one origin. */
interface Server {
  readonly peer: StrictPeer;
  /** Who it has proven to be. */
  identityKey: string | undefined;
}

/** A request that is under way. */
interface Exchange {
  readonly request: SignedRequest;
  readonly signal: AbortSignal;
  answer?: Response;
}

/**
 * Signed requests as strict as today's `AuthFetch`: handshakes, the signatures of answers, their sizes and retries. Payments
 * on demand (402) are no part of it.
 */
export class StrictFetch {
  readonly #wallet: ClientWallet;
  readonly #sessions: SessionTable;
  readonly #maxBytes: number;
  readonly #timeoutMs: number;
  readonly #servers = new Map<string, Server>();
  /** By the payload: the message that carries it is made of nothing else. */
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
   * @returns the answer after it has been verified, with its signed headers and, as `x-bsv-auth-identity-key`, who signed it
   * @throws ProtocolViolation when today's clients would not take the answer; UnsignedAnswer when it has no signature,
   *   also after the retries that an unsigned 401 leads to; TypeError when today's clients do not send such a request
   */
  async fetch(url: string, settings: RequestSettings = {}): Promise<Response> {
    const target = new URL(url);
    for (let retries = 0; ; retries += 1) {
      const server = this.#serverAt(target.origin);
      try {
        return await this.#exchange(server, prepareRequest(target, settings));
      } catch (error) {
        if (!isStaleSession(error, server)) throw error;
        this.#servers.delete(target.origin);
        if (retries === MAX_RETRIES) {
          throw new ProtocolViolation('9.18', `a request was answered 401 also after ${MAX_RETRIES} new handshakes`);
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
      throw new ProtocolViolation('9.3', `an answer was not received and verified within ${this.#timeoutMs} ms`);
    } finally {
      this.#exchanges.delete(request.payload);
    }
    if (exchange.answer === undefined) throw new Error('The server has answered, and its answer is gone.');
    return exchange.answer;
  }

  #serverAt(origin: string): Server {
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
    if (!answer.ok) throw unsigned(answer, body);
    await server.peer.receive(parseJson(body));
  }

  async #sendRequest(server: Server, message: GeneralMessage): Promise<void> {
    const exchange = this.#exchanges.get(message.payload);
    if (exchange === undefined) throw new Error('A message was signed that is no request.');
    const { request, signal } = exchange;
    const answer = await fetch(request.url, {
      method: request.method,
      headers: [
        ...request.headers.map(([name, value]): [string, string] => [name, value]),
        ...authHeaders(message, request.id),
      ],
      redirect: 'error',
      signal,
      ...(request.body.length === 0 ? {} : { body: Uint8Array.from(request.body) }),
    });
    const body = await readBody(answer, this.#maxBytes);
    if (!isSigned(answer)) throw unsigned(answer, body);
    const signed = messageOfAnswer(answer, body, request.id);
    await server.peer.receive(signed);
    signal.throwIfAborted();
    exchange.answer = verifiedAnswer(answer, body, server.identityKey ?? '');
  }
}

function authHeaders({ identityKey, nonce, yourNonce, signature }: GeneralMessage, id: string): [string, string][] {
  return [
    ['x-bsv-auth-version', '0.1'],
    ['x-bsv-auth-identity-key', identityKey],
    ['x-bsv-auth-nonce', nonce],
    ['x-bsv-auth-your-nonce', yourNonce],
    ['x-bsv-auth-signature', Buffer.from(signature).toString('hex')],
    ['x-bsv-auth-request-id', id],
  ];
}

/** Only what was signed is told. */
function verifiedAnswer({ status, headers }: Response, body: Uint8Array, signer: string): Response {
  const verified = new Headers(
    [...headers].filter(([name]) => name.startsWith('x-bsv-') && !name.startsWith('x-bsv-auth')),
  );
  verified.set('x-bsv-auth-identity-key', signer);
  return new Response(Uint8Array.from(body), { status, statusText: String(status), headers: verified });
}

function unsigned({ status }: Response, body: Uint8Array): UnsignedAnswer {
  return new UnsignedAnswer(status, Buffer.from(body.subarray(0, 1_024)).toString('utf8'));
}

function isStaleSession(error: unknown, { identityKey }: Server): boolean {
  if (!(error instanceof UnsignedAnswer)) return false;
  return error.body.includes('Session not found for nonce') || (error.status === 401 && identityKey !== undefined);
}

function parseJson(body: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(body).toString('utf8'));
  } catch {
    throw new ProtocolViolation('3', 'the answer to a handshake is no JSON');
  }
}
