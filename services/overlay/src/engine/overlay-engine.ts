import { Engine, type LookupFormula } from '@bsv/overlay';
import type { LookupAnswer, LookupQuestion, STEAK, TaggedBEEF } from '@bsv/sdk';
import { type Logger, RuleError, translateError } from '@messagebox/shared';
import { InvalidTransactionError, type ParsedBeef, parseBeef } from '@messagebox/wallet';
import type { OverlayLookup } from '../lookups/overlay-lookup.js';
import type { OverlayTopic } from '../topics/token-topic.js';
import { applyTransaction } from './apply-transaction.js';
import { type ForeignNode, foreignNode, syncRequest } from './foreign-sync.js';
import type { OverlayStorage } from './overlay-storage.js';

/** Tells whether a transaction of a stranger is valid. The wallet package's `TransactionVerifier` is one. */
export interface BeefVerifier {
  /**
   * @returns the id of the transaction that the BEEF is about, whether it has a (verified) merkle path itself, and a
   *   BEEF with only what it needs
   * @throws {InvalidTransactionError} with the reason
   * @throws {ChainUnavailableError} and {@link VerifierBusyError}: worth another try later
   */
  verify(
    beef: Uint8Array,
    askedBy?: string,
  ): Promise<{ txid: string; proven: boolean; beef: Uint8Array | readonly number[] }>;
}

/** Where a transaction comes from. */
export interface Provenance {
  /** Who brings it, such as an address: those who bring many wait for each other. */
  readonly askedBy?: string;
  /** When another host has admitted it, in milliseconds since 1970. Default: now. */
  readonly admittedAt?: number;
}

export interface OverlayEngineParts {
  readonly topics: Readonly<Record<string, OverlayTopic>>;
  readonly lookups: Readonly<Record<string, OverlayLookup>>;
  readonly storage: OverlayStorage;
  readonly verifier: BeefVerifier;
  readonly log: Logger;
  /** Told of each topic of a submission: `admitted`, `removed`, `unchanged` or `duplicate`. */
  readonly onOutcome?: (topic: string, outcome: SubmissionOutcome) => void;
  readonly now?: () => number;
}

export type SubmissionOutcome = 'admitted' | 'removed' | 'unchanged' | 'duplicate';

/** More than any wallet spends at once; each is a question to the database. */
const MAX_INPUTS = 2_000;
/** Bytes of BEEF in one answer to a lookup. What doesn't fit is left out. */
const MAX_ANSWER_BYTES = 4_000_000;

/**
 * The overlay engine of the published package, with the parts of it replaced that can't stand before strangers. Its own
 * `submit` marks coins as spent before it knows that the rest works, lets lookup services run behind, verifies scripts
 * on the main thread without bounds, and tells the public network of what it admits.
 */
export class OverlayEngine extends Engine {
  readonly #parts: OverlayEngineParts;
  #lastScore = 0;

  constructor(parts: OverlayEngineParts) {
    const noSync = Object.fromEntries(Object.keys(parts.topics).map((topic) => [topic, false as const]));
    super(
      { ...parts.topics },
      { ...parts.lookups },
      parts.storage,
      'scripts only', // not asked: see `submit`
      undefined,
      undefined,
      undefined,
      undefined,
      undefined,
      noSync,
    );
    this.#parts = parts;
  }

  /**
   * Submits a transaction to topics (BRC-22): all or nothing, and done when this resolves. Nothing is broadcast and no
   * other host is told.
   *
   * @param mode doesn't matter here
   * @param offChainValues are of no use to any topic here
   * @throws as {@link apply}
   */
  override async submit(
    { beef, topics }: TaggedBEEF,
    onSteakReady?: (steak: STEAK) => void,
    _mode?: 'historical-tx' | 'current-tx',
    _offChainValues?: number[],
  ): Promise<STEAK> {
    const steak = await this.apply(Uint8Array.from(beef), topics);
    onSteakReady?.(steak);
    return steak;
  }

  /**
   * Verifies a transaction and does to the topics what it does to them. A transaction that a topic has seen before is
   * answered with nothing admitted and nothing retained.
   *
   * @throws {RuleError} `ERR_UNKNOWN_TOPIC`, `ERR_INVALID_TRANSACTION`, `ERR_DOUBLE_SPEND`; nothing has changed then
   * @throws {ChainUnavailableError}, {@link VerifierBusyError}, {@link StoreUnavailableError}: worth another try
   */
  async apply(beef: Uint8Array, topics: readonly string[], from: Provenance = {}): Promise<STEAK> {
    for (const topic of topics) this.#assertTopic(topic);
    const names = [...new Set(topics)];
    const claimed = parsed(beef);
    const steak = (await this.#seenBefore(claimed, names)) ?? (await this.#verifyAndApply(beef, names, from));
    for (const [topic, outcome] of Object.entries(steak)) this.#parts.onOutcome?.(topic, outcomeOf(outcome));
    return steak;
  }

  /** @throws {RuleError} `ERR_UNKNOWN_LOOKUP_SERVICE`, `ERR_INVALID_QUERY` */
  override async lookup(question: LookupQuestion): Promise<LookupAnswer> {
    const { lookups, storage } = this.#parts;
    const service = Object.hasOwn(lookups, question.service) ? lookups[question.service] : undefined;
    if (service === undefined) {
      throw new RuleError('ERR_UNKNOWN_LOOKUP_SERVICE', 'This host does not have that lookup service.');
    }
    const outputs: LookupAnswer['outputs'] = [];
    let bytes = 0;
    for (const { txid, outputIndex, history, context } of await translated(service.lookup(question))) {
      const held = await storage.findOutput(txid, outputIndex, undefined, undefined, true);
      const found = held === null ? undefined : await this.getUTXOHistory(held, history, 0);
      if (found?.beef === undefined || bytes + found.beef.length > MAX_ANSWER_BYTES) continue;
      bytes += found.beef.length;
      outputs.push({ beef: found.beef, outputIndex, ...(context === undefined ? {} : { context }) });
    }
    return { type: 'output-list', outputs };
  }

  /**
   * Answers another host that wants to know what there is in a topic (GASP).
   *
   * @throws {RuleError} `ERR_UNKNOWN_TOPIC`, `ERR_INVALID_SYNC_REQUEST`
   */
  override async provideForeignSyncResponse(
    request: unknown,
    topic: string,
  ): ReturnType<Engine['provideForeignSyncResponse']> {
    this.#assertTopic(topic);
    const { since, limit } = syncRequest(request);
    return { UTXOList: await this.#parts.storage.listOutputs(topic, since, limit), since };
  }

  /**
   * A transaction that an output of ours rests on: the one that has it, or an ancestor (GASP).
   *
   * @throws {RuleError} `ERR_UNKNOWN_OUTPUT`, `ERR_INVALID_SYNC_REQUEST`
   */
  override async provideForeignGASPNode(graphID: unknown, txid: unknown, outputIndex: unknown): Promise<ForeignNode> {
    return await foreignNode(this.#parts.storage, graphID, txid, outputIndex);
  }

  /** @throws {Error} always: see `synchronise()`, which has bounds */
  override async startGASPSync(): Promise<void> {
    throw new Error('The engine of this host does not synchronise by itself.');
  }

  #assertTopic(topic: unknown): void {
    if (typeof topic !== 'string' || !Object.hasOwn(this.#parts.topics, topic)) {
      throw new RuleError('ERR_UNKNOWN_TOPIC', 'This host does not have that topic.');
    }
  }

  /**
   * A transaction is what its id says, so one that all the topics have applied needs no second verification, unless it
   * brings a merkle path which they don't have.
   */
  async #seenBefore({ subject }: ParsedBeef, topics: readonly string[]): Promise<STEAK | undefined> {
    const steak: STEAK = {};
    for (const topic of topics) {
      const applied = await this.#parts.storage.findApplied(subject.txid, topic);
      if (applied === undefined || (subject.proof !== undefined && !applied.proven)) return undefined;
      steak[topic] = { outputsToAdmit: [], coinsToRetain: [] };
    }
    return steak;
  }

  async #verifyAndApply(beef: Uint8Array, topics: readonly string[], from: Provenance): Promise<STEAK> {
    const { storage, lookups, topics: known } = this.#parts;
    const verified = await this.#verify(beef, from.askedBy);
    const { subject } = parsed(verified);
    if (subject.inputs.length > MAX_INPUTS) throw invalid(`The transaction has more than ${MAX_INPUTS} inputs.`);
    const score = this.#nextScore();
    const submission = {
      transaction: subject,
      beef: verified,
      score,
      admittedAt: Math.min(from.admittedAt ?? score, score),
    };
    return await storage.transaction((inside, runner) =>
      applyTransaction(submission, topics, { topics: known, lookups }, inside, runner),
    );
  }

  /** @returns a BEEF with only what the transaction needs */
  async #verify(beef: Uint8Array, askedBy: string | undefined): Promise<Uint8Array> {
    try {
      const verified = await this.#parts.verifier.verify(beef, askedBy);
      return Uint8Array.from(verified.beef);
    } catch (error) {
      throw error instanceof InvalidTransactionError ? invalid(error.message) : error;
    }
  }

  /** No two alike in this process, so that a page of GASP's can end anywhere. */
  #nextScore(): number {
    this.#lastScore = Math.max(this.#lastScore + 1, this.#parts.now?.() ?? Date.now());
    return this.#lastScore;
  }
}

/** @throws {RuleError} `ERR_INVALID_TRANSACTION` */
function parsed(beef: Uint8Array): ParsedBeef {
  try {
    return parseBeef(beef);
  } catch (error) {
    throw error instanceof InvalidTransactionError ? invalid(error.message) : error;
  }
}

function invalid(description: string): RuleError {
  return new RuleError('ERR_INVALID_TRANSACTION', description);
}

/** What a lookup service lets through of the database's errors. */
async function translated(work: Promise<LookupFormula>): Promise<LookupFormula> {
  try {
    return await work;
  } catch (error) {
    throw error instanceof RuleError ? error : translateError(error);
  }
}

function outcomeOf({ outputsToAdmit, coinsRemoved }: STEAK[string]): SubmissionOutcome {
  if (outputsToAdmit.length > 0) return 'admitted';
  if (coinsRemoved === undefined) return 'duplicate';
  return coinsRemoved.length > 0 ? 'removed' : 'unchanged';
}
