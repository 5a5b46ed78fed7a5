import { AnswerTooLargeError, type BoundedResponse, FetchError, type PublicFetch } from '@messagebox/shared';
import type { Outpoint } from '@messagebox/transactions';

/** An output of a topic as a peer lists it. */
export interface PeerOutput extends Outpoint {
  /** The time of its admission by the peer, in milliseconds since 1970. */
  readonly score: number;
}

export interface PeerOutputList {
  /** Oldest first. Invalid entries are left out. */
  readonly outputs: readonly PeerOutput[];
  /** Whether the list has as many entries as were asked for, so that there may be more. */
  readonly full: boolean;
}

/** A transaction as a peer sends it. Nothing is verified. */
export interface PeerNode {
  readonly raw: Buffer;
  /** The merkle path (BRC-74). */
  readonly proof: Buffer | undefined;
}

/** The limits of one synchronisation with one peer. */
export interface PeerLimits {
  readonly requests: number;
  readonly bytes: number;
  /** Timeout of a request. */
  readonly requestMs: number;
}

/** The peer's answer is wrong, and would be wrong again. */
export class InvalidPeerAnswerError extends Error {
  override readonly name = 'InvalidPeerAnswerError';
}

/** The peer has used up the limits of one synchronisation. */
export class PeerBudgetError extends Error {
  override readonly name = 'PeerBudgetError';

  constructor() {
    super('The peer has used up the limits of one synchronisation.');
  }
}

const MAX_LIST_BYTES = 2_000_000;
/** A transaction of 1 MB and its merkle path, in hex. */
const MAX_NODE_BYTES = 2_200_000;
const GASP_VERSION = 1;

/** A client for another overlay host of a topic (GASP, BRC-40), with bounded effort. */
export class GaspPeer {
  #requests = 0;
  #bytes = 0;

  constructor(
    readonly origin: string,
    private readonly topic: string,
    private readonly fetch: PublicFetch,
    private readonly limits: PeerLimits,
    private readonly signal: AbortSignal,
  ) {}

  /**
   * Lists the peer's outputs from a score on.
   *
   * @throws {FetchError}, {@link InvalidPeerAnswerError}, {@link PeerBudgetError}
   */
  async listOutputs(since: number, limit: number): Promise<PeerOutputList> {
    const body = { version: GASP_VERSION, since, limit };
    const answer = await this.#request('/requestSyncResponse', body, MAX_LIST_BYTES, { 'x-bsv-topic': this.topic });
    const { UTXOList: list } = (answer ?? {}) as { UTXOList?: unknown };
    if (!Array.isArray(list)) throw new InvalidPeerAnswerError('The peer did not answer with a list.');
    const outputs = list.slice(0, limit).flatMap(parseListedOutput);
    return { outputs: outputs.sort((a, b) => a.score - b.score), full: list.length >= limit };
  }

  /**
   * Fetches the transaction of a listed output, or one of its ancestors.
   *
   * @throws as {@link listOutputs}
   */
  async fetchNode(graphID: string, { txid, outputIndex }: Outpoint): Promise<PeerNode> {
    const body = { graphID, txid, outputIndex, metadata: false };
    const answer = await this.#request('/requestForeignGASPNode', body, MAX_NODE_BYTES);
    const { rawTx, proof } = (answer ?? {}) as { rawTx?: unknown; proof?: unknown };
    return { raw: fromHex(rawTx), proof: proof === undefined || proof === null ? undefined : fromHex(proof) };
  }

  async #request(path: string, body: object, maxBytes: number, headers: Record<string, string> = {}): Promise<unknown> {
    const bytesLeft = this.limits.bytes - this.#bytes;
    if (this.#requests >= this.limits.requests || bytesLeft <= 0) {
      throw new PeerBudgetError();
    }
    this.#requests += 1;
    const limit = Math.min(maxBytes, bytesLeft);
    try {
      const response = await this.fetch.request(`${this.origin}${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify(body),
        maxBytes: limit,
        timeoutMs: this.limits.requestMs,
        signal: this.signal,
      });
      this.#bytes += response.body.length;
      return parsePeerResponse(response);
    } catch (error) {
      if (!(error instanceof AnswerTooLargeError)) throw error;
      this.#bytes += limit;
      // A later run has a new budget, but an answer that exceeds `maxBytes` will do so again.
      throw limit < maxBytes ? new PeerBudgetError() : new InvalidPeerAnswerError(error.message);
    }
  }
}

function parsePeerResponse({ status, body }: BoundedResponse): unknown {
  if (status >= 500 || status === 429) throw new FetchError(`The peer answered ${status}.`);
  if (status !== 200) throw new InvalidPeerAnswerError(`The peer answered ${status}.`);
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    throw new InvalidPeerAnswerError('The peer did not answer with JSON.');
  }
}

/** Hosts that run the published packages list outputs without a score, or with null. */
function parseListedOutput(item: unknown): PeerOutput[] {
  const { txid, outputIndex, score: given } = (item ?? {}) as Record<string, unknown>;
  const score = given ?? 0;
  if (typeof txid !== 'string' || !/^[0-9a-f]{64}$/.test(txid) || !isOutputIndex(outputIndex)) return [];
  return typeof score === 'number' && Number.isSafeInteger(score) && score >= 0 ? [{ txid, outputIndex, score }] : [];
}

function isOutputIndex(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= 0xffff_ffff;
}

function fromHex(text: unknown): Buffer {
  if (typeof text !== 'string' || text.length % 2 !== 0 || !/^[0-9a-fA-F]+$/.test(text)) {
    throw new InvalidPeerAnswerError('The peer sent a transaction or merkle path that is not hexadecimal.');
  }
  return Buffer.from(text, 'hex');
}
