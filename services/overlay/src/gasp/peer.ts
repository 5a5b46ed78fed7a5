import type { Outpoint } from '@messagebox/wallet';
import { AnswerTooLargeError, type BoundedResponse, FetchError, type PublicFetch } from '../net/public-fetch.js';

/** What a peer lists of a topic. */
export interface ListedByPeer extends Outpoint {
  /** Its time of admitting the output, in milliseconds since 1970. */
  readonly score: number;
}

export interface ListOfPeer {
  /** Oldest first. What is no output is left out. */
  readonly outputs: readonly ListedByPeer[];
  /** Whether it has listed as much as it was asked for. */
  readonly full: boolean;
}

/** A transaction as a peer sends it; nothing is verified. */
export interface NodeOfPeer {
  readonly raw: Buffer;
  /** Its merkle path (BRC-74). */
  readonly proof: Buffer | undefined;
}

/** What one synchronisation with one peer may take. */
export interface PeerLimits {
  readonly requests: number;
  readonly bytes: number;
  /** Milliseconds of a request. */
  readonly requestMs: number;
}

/** The peer has answered, but not with what it had promised. Asking again won't help. */
export class UselessAnswerError extends Error {
  override readonly name = 'UselessAnswerError';
}

/** The peer has used up what one synchronisation may take. */
export class PeerBudgetError extends Error {
  override readonly name = 'PeerBudgetError';

  constructor() {
    super('The peer has used up what one synchronisation may take.');
  }
}

const LIST_BYTES = 2_000_000;
/** A transaction of 1 MB and its merkle path, in hex. */
const NODE_BYTES = 2_200_000;
const VERSION = 1;

/** Another overlay host of a topic (GASP, BRC-40), asked with bounded effort. */
export class Peer {
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
   * What the peer holds since a time.
   *
   * @throws {FetchError}, {@link UselessAnswerError}, {@link PeerBudgetError}
   */
  async list(since: number, limit: number): Promise<ListOfPeer> {
    const body = { version: VERSION, since, limit };
    const answer = await this.#ask('/requestSyncResponse', body, LIST_BYTES, { 'x-bsv-topic': this.topic });
    const { UTXOList: list } = (answer ?? {}) as { UTXOList?: unknown };
    if (!Array.isArray(list)) throw new UselessAnswerError('The peer has not answered with a list.');
    const outputs = list.slice(0, limit).flatMap(listed);
    return { outputs: outputs.sort((a, b) => a.score - b.score), full: list.length >= limit };
  }

  /**
   * A transaction that one of the listed outputs rests on.
   *
   * @throws as {@link list}
   */
  async node(graphID: string, { txid, outputIndex }: Outpoint): Promise<NodeOfPeer> {
    const body = { graphID, txid, outputIndex, metadata: false };
    const answer = await this.#ask('/requestForeignGASPNode', body, NODE_BYTES);
    const { rawTx, proof } = (answer ?? {}) as { rawTx?: unknown; proof?: unknown };
    return { raw: fromHex(rawTx), proof: proof === undefined || proof === null ? undefined : fromHex(proof) };
  }

  async #ask(path: string, body: object, maxBytes: number, headers: Record<string, string> = {}): Promise<unknown> {
    const bytesLeft = this.limits.bytes - this.#bytes;
    if (this.#requests >= this.limits.requests || bytesLeft <= 0) {
      throw new PeerBudgetError();
    }
    this.#requests += 1;
    const most = Math.min(maxBytes, bytesLeft);
    try {
      const response = await this.fetch.request(`${this.origin}${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify(body),
        maxBytes: most,
        timeoutMs: this.limits.requestMs,
        signal: this.signal,
      });
      this.#bytes += response.body.length;
      return jsonOf(response);
    } catch (error) {
      if (!(error instanceof AnswerTooLargeError)) throw error;
      this.#bytes += most;
      // Another time there may be more left for it; but what is larger than any answer may be stays so.
      throw most < maxBytes ? new PeerBudgetError() : new UselessAnswerError(error.message);
    }
  }
}

function jsonOf({ status, body }: BoundedResponse): unknown {
  if (status >= 500 || status === 429) throw new FetchError(`The peer answers ${status}.`);
  if (status !== 200) throw new UselessAnswerError(`The peer answers ${status}.`);
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    throw new UselessAnswerError('The peer has not answered with JSON.');
  }
}

/** Hosts of the published packages list outputs without a score, or with null. */
function listed(item: unknown): ListedByPeer[] {
  const { txid, outputIndex, score: given } = (item ?? {}) as Record<string, unknown>;
  const score = given ?? 0;
  if (typeof txid !== 'string' || !/^[0-9a-f]{64}$/.test(txid) || !isIndex(outputIndex)) return [];
  return typeof score === 'number' && Number.isSafeInteger(score) && score >= 0 ? [{ txid, outputIndex, score }] : [];
}

function isIndex(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= 0xffff_ffff;
}

function fromHex(text: unknown): Buffer {
  if (typeof text !== 'string' || text.length % 2 !== 0 || !/^[0-9a-fA-F]+$/.test(text)) {
    throw new UselessAnswerError('The peer has sent something that is not hex.');
  }
  return Buffer.from(text, 'hex');
}
