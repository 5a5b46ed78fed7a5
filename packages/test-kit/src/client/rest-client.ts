import { MAX_ANSWER_BYTES, StrictFetch } from '../http/strict-fetch.js';
import { ProtocolViolationError } from '../rules/protocol-violation-error.js';
import type { ClientWallet } from '../wallet/wallet.js';
import { readIdentityKey, readRecord } from './fields.js';
import { RequestRefusedError } from './request-refused-error.js';

/** The response of a route, and the identity that has signed it. */
export interface RouteAnswer {
  readonly answer: Record<string, unknown>;
  readonly server: string;
}

/** Calls the routes of message-box servers. Each origin must keep one identity. */
export class RestClient {
  readonly #fetch: StrictFetch;
  readonly #servers = new Map<string, string>();
  /** The size of the largest response so far. Bytes. */
  largestAnswer = 0;

  /** @param maxAnswerBytes the maximum size of a response */
  constructor(wallet: ClientWallet, maxAnswerBytes = MAX_ANSWER_BYTES) {
    this.#fetch = new StrictFetch({ wallet, maxAnswerBytes });
  }

  /** @throws RequestRefusedError when the server refuses; ProtocolViolationError when its answer breaks a rule */
  get(url: string): Promise<RouteAnswer> {
    return this.#request(url, { method: 'GET' });
  }

  /** @throws RequestRefusedError when the server refuses; ProtocolViolationError when its answer breaks a rule */
  post(url: string, body: object): Promise<RouteAnswer> {
    const headers = { 'content-type': 'application/json' };
    return this.#request(url, { method: 'POST', headers, body: JSON.stringify(body) });
  }

  async #request(url: string, settings: Parameters<StrictFetch['fetch']>[1]): Promise<RouteAnswer> {
    const response = await this.#fetch.fetch(url, settings);
    const server = this.#requireSameIdentity(new URL(url).origin, response.headers.get('x-bsv-auth-identity-key'));
    const text = await response.text();
    this.largestAnswer = Math.max(this.largestAnswer, Buffer.byteLength(text));
    const answer = readRecord(parseAnswer(text), 'an answer');
    if (!response.ok) throw new RequestRefusedError(response.status, readCode(answer['code']));
    if (answer['status'] !== 'success')
      throw new ProtocolViolationError('4', 'the status of a response is not success');
    return { answer, server };
  }

  #requireSameIdentity(origin: string, signer: string | null): string {
    const identityKey = readIdentityKey(signer, 'the identity of the server');
    const before = this.#servers.get(origin);
    if (before !== undefined && before !== identityKey) {
      throw new ProtocolViolationError('3', 'the identity of a server changed');
    }
    this.#servers.set(origin, identityKey);
    return identityKey;
  }
}

function parseAnswer(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new ProtocolViolationError('4', 'a response is not JSON');
  }
}

function readCode(code: unknown): string {
  if (typeof code === 'string' && /^ERR_[A-Z0-9_]{1,64}$/.test(code)) return code;
  throw new ProtocolViolationError('9.18', 'a refusal has no code');
}
