import { MAX_ANSWER_BYTES, StrictFetch } from '../http/strict-fetch.js';
import { ProtocolViolation } from '../rules/protocol-violation.js';
import type { ClientWallet } from '../wallet/wallet.js';
import { readIdentityKey, readRecord } from './fields.js';
import { RefusedRequest } from './refused-request.js';

/** What a route answered, and who signed it. */
export interface RouteAnswer {
  readonly answer: Record<string, unknown>;
  readonly server: string;
}

/** Asks routes of message-box servers, and holds each origin to one identity. */
export class RestClient {
  readonly #fetch: StrictFetch;
  readonly #servers = new Map<string, string>();
  /** Bytes of the largest answer so far. */
  largestAnswer = 0;

  /** @param maxAnswerBytes upper bound of the bytes of an answer */
  constructor(wallet: ClientWallet, maxAnswerBytes = MAX_ANSWER_BYTES) {
    this.#fetch = new StrictFetch({ wallet, maxAnswerBytes });
  }

  /** @throws RefusedRequest when the server refuses; ProtocolViolation when its answer breaks a rule */
  get(url: string): Promise<RouteAnswer> {
    return this.#ask(url, { method: 'GET' });
  }

  /** @throws RefusedRequest when the server refuses; ProtocolViolation when its answer breaks a rule */
  post(url: string, body: object): Promise<RouteAnswer> {
    const headers = { 'content-type': 'application/json' };
    return this.#ask(url, { method: 'POST', headers, body: JSON.stringify(body) });
  }

  async #ask(url: string, settings: Parameters<StrictFetch['fetch']>[1]): Promise<RouteAnswer> {
    const response = await this.#fetch.fetch(url, settings);
    const server = this.#identityOf(new URL(url).origin, response.headers.get('x-bsv-auth-identity-key'));
    const text = await response.text();
    this.largestAnswer = Math.max(this.largestAnswer, Buffer.byteLength(text));
    const answer = readRecord(parse(text), 'an answer');
    if (!response.ok) throw new RefusedRequest(response.status, readCode(answer['code']));
    if (answer['status'] !== 'success') throw new ProtocolViolation('4', 'the status of an answer is not success');
    return { answer, server };
  }

  #identityOf(origin: string, signer: string | null): string {
    const identityKey = readIdentityKey(signer, 'the identity of the server');
    const before = this.#servers.get(origin);
    if (before !== undefined && before !== identityKey) {
      throw new ProtocolViolation('3', 'the identity of a server changed');
    }
    this.#servers.set(origin, identityKey);
    return identityKey;
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new ProtocolViolation('4', 'an answer is no JSON');
  }
}

function readCode(code: unknown): string {
  if (typeof code === 'string' && /^ERR_[A-Z0-9_]{1,64}$/.test(code)) return code;
  throw new ProtocolViolation('9.18', 'a refusal carries no code');
}
