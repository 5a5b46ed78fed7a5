import type { STEAK } from '@bsv/sdk';
import { type Logger, RuleError, translateError } from '@messagebox/shared';
import {
  ChainUnavailableError,
  InvalidTransactionError,
  type MerkleProof,
  type ParsedBeef,
  type ParsedTransaction,
  parseBeef,
  serializeBeef,
  withAncestors,
} from '@messagebox/wallet';
import type { OverlayLookup } from '../lookups/overlay-lookup.js';
import type { OverlayTopic } from '../topics/token-topic.js';
import { applyTransaction } from './apply-transaction.js';
import { undoTransaction } from './evict-transaction.js';
import { type ForeignNode, foreignNode, syncRequest } from './foreign-sync.js';
import type { FoundOutput, ListedOutput, OverlayStorage } from './overlay-storage.js';
import { findUnmined, isKeptProof } from './replaced-blocks.js';
import type { AnswerRoom } from './share-answer.js';
import { submitterOf } from './submitter.js';

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
  ): Promise<{ txid: string; proven: boolean; beef: Uint8Array | readonly number[]; cost: number }>;
  /** Tells what became of a verified transaction: who brings what is of use goes before who does not. */
  report(askedBy: string, outcome: 'useful' | 'useless', cost: number): void;
}

/** Where a transaction comes from. */
export interface Provenance {
  /** Who brings it, such as an address: those who bring many wait for each other. */
  readonly askedBy?: string;
  /** It is this server's: there is always room for it, also when what strangers have paid it with is large. */
  readonly isOwn?: boolean;
  /** When another host has admitted it, in milliseconds since 1970. Default: now. */
  readonly admittedAt?: number;
}

export interface OverlayEngineParts {
  readonly topics: Readonly<Record<string, OverlayTopic>>;
  readonly lookups: Readonly<Record<string, OverlayLookup>>;
  readonly storage: OverlayStorage;
  readonly verifier: BeefVerifier;
  readonly log: Logger;
  /** Whether only what is in a block, or takes away from what there is, can be taken. */
  readonly isFull?: () => boolean;
  /** Bytes in no block that one may have brought, or undefined while there is room for everybody. Default: undefined. */
  readonly share?: () => number | undefined;
  /**
   * Asked for the merkle path of what is admitted without one, before the submission is answered. For the play chain,
   * where all is in a block at once. Default: nobody is asked, since on a real chain it takes a block.
   */
  readonly proofAtOnce?: (txid: string) => Promise<MerkleProof | undefined>;
  /** Told of each topic of a submission: `admitted`, `removed`, `unchanged` or `duplicate`. */
  readonly onOutcome?: (topic: string, outcome: SubmissionOutcome) => void;
  readonly now?: () => number;
}

export type SubmissionOutcome = 'admitted' | 'removed' | 'unchanged' | 'duplicate';

/** An answer to a lookup, as BRC-24 calls it. */
export interface FoundOutputs {
  readonly type: 'output-list';
  readonly outputs: readonly FoundOutput[];
}

/** Bytes of BEEF in one answer to a lookup. What doesn't fit is left out. */
const MAX_ANSWER_BYTES = 1_048_576;
/** Bytes of a transaction with what verifies it. Those of real advertisements have a few thousand. */
const MAX_BEEF_BYTES = 131_072;
/** In what is submitted, needed or not: the smallest, a megabyte of them, would take a second to read. */
const MAX_TRANSACTIONS = 1_000;

/** There is as much as there may be. Worth another try later, or once the transaction is in a block. */
export class OverlayFullError extends Error {
  override readonly name = 'OverlayFullError';

  constructor() {
    super('This host holds as much as it may. Try again later, or with a merkle path.');
  }
}

/** Topics and lookup services (BRC-22, BRC-24) in our database, for transactions of strangers. */
export class OverlayEngine {
  readonly #parts: OverlayEngineParts;
  #lastScore = 0;

  constructor(parts: OverlayEngineParts) {
    this.#parts = parts;
  }

  get topics(): OverlayEngineParts['topics'] {
    return this.#parts.topics;
  }

  get lookups(): OverlayEngineParts['lookups'] {
    return this.#parts.lookups;
  }

  /**
   * Verifies a transaction and does to the topics what it does to them: all or nothing, and done when this resolves.
   * Nothing is broadcast and no other host is told. A transaction that a topic has seen before is answered with nothing
   * admitted and nothing retained.
   *
   * @throws {RuleError} `ERR_UNKNOWN_TOPIC`, `ERR_INVALID_TRANSACTION`, `ERR_DOUBLE_SPEND`; nothing has changed then
   * @throws {ChainUnavailableError}, {@link VerifierBusyError}, {@link OverlayFullError}, {@link StoreUnavailableError}:
   *   worth another try
   */
  async apply(beef: Uint8Array, topics: readonly string[], from: Provenance = {}): Promise<STEAK> {
    for (const topic of topics) this.#assertTopic(topic);
    const names = [...new Set(topics)];
    const claimed = valid(() => parseBeef(beef, MAX_TRANSACTIONS));
    const steak = (await this.#seenBefore(claimed, names)) ?? (await this.#verifyAndApply(claimed, names, from));
    await this.#proveAtOnce(claimed.subject, steak);
    for (const [topic, outcome] of Object.entries(steak)) this.#parts.onOutcome?.(topic, outcomeOf(outcome));
    return steak;
  }

  /**
   * @param transactions whether each of the outputs is told with its transaction, or all of a transaction's with one
   * @throws {RuleError} `ERR_UNKNOWN_LOOKUP_SERVICE`, `ERR_INVALID_QUERY`
   */
  async lookup(
    { service, query }: { readonly service: string; readonly query: unknown },
    transactions: AnswerRoom['transactions'] = 'each',
  ): Promise<FoundOutputs> {
    const { lookups, storage } = this.#parts;
    const lookup = Object.hasOwn(lookups, service) ? lookups[service] : undefined;
    if (lookup === undefined) {
      throw new RuleError('ERR_UNKNOWN_LOOKUP_SERVICE', 'This host does not have that lookup service.');
    }
    const found = await translated(lookup.find(query));
    return { type: 'output-list', outputs: await storage.withBeefs(found, { bytes: MAX_ANSWER_BYTES, transactions }) };
  }

  /**
   * Answers another host that wants to know what there is in a topic (GASP).
   *
   * @throws {RuleError} `ERR_UNKNOWN_TOPIC`, `ERR_INVALID_SYNC_REQUEST`
   */
  async provideForeignSyncResponse(
    request: unknown,
    topic: string,
  ): Promise<{ UTXOList: ListedOutput[]; since: number }> {
    this.#assertTopic(topic);
    const { since, limit } = syncRequest(request);
    return { UTXOList: await this.#parts.storage.listOutputs(topic, since, limit), since };
  }

  /**
   * A transaction that an output of ours rests on: the one that has it, or an ancestor (GASP).
   *
   * @param onRead is told how many bytes were read to find it, however small it is
   * @throws {RuleError} `ERR_UNKNOWN_OUTPUT`, `ERR_INVALID_SYNC_REQUEST`
   */
  async provideForeignGASPNode(
    graphID: unknown,
    txid: unknown,
    outputIndex: unknown,
    onRead?: (bytes: number) => Promise<void>,
  ): Promise<ForeignNode> {
    return await foreignNode(this.#parts.storage, graphID, txid, outputIndex, onRead);
  }

  /**
   * Notes that a transaction is in a block. From then on that verifies it, and its ancestors are not kept.
   *
   * @param proof its merkle path, which is the chain's
   */
  async prove(txid: string, proof: MerkleProof): Promise<void> {
    await this.#parts.storage.transaction(async (inside, runner) => {
      const beef = await inside.findBeef(txid);
      const proven = beef === undefined ? undefined : serializeBeef([{ ...parseBeef(beef).subject, proof }]);
      await inside.markProven(txid, proven);
      for (const lookup of Object.values(this.#parts.lookups)) await lookup.prove(runner, txid, proof.blockHeight);
    });
  }

  /**
   * Removes what a transaction without a merkle path of its own did to a topic, with all that is kept for it.
   *
   * @returns false when it has a merkle path by now, or is gone
   */
  async forget(txid: string, topic: string): Promise<boolean> {
    const { storage, lookups } = this.#parts;
    return await storage.transaction(async (inside, runner) => {
      if (!(await inside.deleteUnproven(txid, topic))) return false;
      await undoTransaction(txid, topic, { storage: inside, runner, lookups: Object.values(lookups) });
      return true;
    });
  }

  async #proveAtOnce({ txid, proof }: ParsedTransaction, steak: STEAK): Promise<void> {
    const { proofAtOnce, log } = this.#parts;
    const isAdmitted = Object.values(steak).some(({ outputsToAdmit }) => outputsToAdmit.length > 0);
    if (proofAtOnce === undefined || proof !== undefined || !isAdmitted) return;
    try {
      const found = await proofAtOnce(txid);
      if (found !== undefined) await this.prove(txid, found);
    } catch (error) {
      // It is admitted all the same, and the chain is asked again later.
      if (!(error instanceof ChainUnavailableError)) throw error;
      log.warn({ txid, reason: error.message }, 'the chain could not be asked for a merkle path at once');
    }
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
    const { storage } = this.#parts;
    const steak: STEAK = {};
    for (const topic of topics) {
      const applied = await storage.findApplied(subject.txid, topic);
      if (applied === undefined) return undefined;
      const isNews = subject.proof !== undefined && !(applied.proven && (await isKeptProof(storage, subject)));
      if (isNews) return undefined;
      steak[topic] = { outputsToAdmit: [], coinsToRetain: [] };
    }
    return steak;
  }

  async #verifyAndApply(claimed: ParsedBeef, topics: readonly string[], from: Provenance): Promise<STEAK> {
    if (from.isOwn !== true && (await this.#lacksRoom(claimed, topics, from))) throw new OverlayFullError();
    const verified = await this.#verify(neededOf(claimed, from), from.askedBy);
    try {
      const steak = await this.#applyVerified(claimed, verified.beef, topics, from);
      const outcomes = Object.values(steak).map(outcomeOf);
      const isUseless = outcomes.every((outcome) => outcome === 'unchanged');
      this.#report(from, isUseless ? 'useless' : 'useful', verified.cost);
      return steak;
    } catch (error) {
      if (error instanceof RuleError) this.#report(from, 'useless', verified.cost);
      throw error;
    }
  }

  #report({ askedBy }: Provenance, outcome: 'useful' | 'useless', cost: number): void {
    if (askedBy !== undefined) this.#parts.verifier.report(askedBy, outcome, cost);
  }

  async #applyVerified(
    claimed: ParsedBeef,
    beef: Uint8Array,
    topics: readonly string[],
    from: Provenance,
  ): Promise<STEAK> {
    const { storage, lookups, topics: known } = this.#parts;
    const score = this.#nextScore();
    const submission = {
      parsed: valid(() => parseBeef(beef)),
      sources: claimed.transactions,
      unmined: await findUnmined(this.#parts, claimed.subject, topics, from.askedBy),
      beef,
      isOwn: from.isOwn === true,
      submitter: from.isOwn === true || from.askedBy === undefined ? undefined : submitterOf(from.askedBy),
      score,
      admittedAt: Math.min(from.admittedAt ?? score, score),
    };
    return await storage.transaction((inside, runner) =>
      applyTransaction(submission, topics, { topics: known, lookups }, inside, runner),
    );
  }

  /** What is in a block, or takes away from what there is, always has room. */
  async #lacksRoom({ subject }: ParsedBeef, topics: readonly string[], { askedBy }: Provenance): Promise<boolean> {
    if (subject.proof !== undefined) return false;
    const share = this.#parts.share?.();
    const isOverShare = async () =>
      share !== undefined &&
      askedBy !== undefined &&
      (await this.#parts.storage.bytesOf(submitterOf(askedBy))) >= share;
    if (this.#parts.isFull?.() !== true && !(await isOverShare())) return false;
    for (const topic of topics) {
      if ((await this.#parts.storage.heldAmong(topic, subject.inputs)).size > 0) return false;
    }
    return true;
  }

  /** @returns a BEEF with only what the transaction needs, and the milliseconds of CPU that verifying it took */
  async #verify(beef: Uint8Array, askedBy: string | undefined): Promise<{ beef: Uint8Array; cost: number }> {
    try {
      const verified = await this.#parts.verifier.verify(beef, askedBy);
      return { beef: Uint8Array.from(verified.beef), cost: verified.cost };
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

/**
 * What the transaction needs, without the rest. It is kept, for whoever asks for the transaction.
 *
 * @throws {RuleError} `ERR_INVALID_TRANSACTION`
 */
function neededOf({ subject, transactions }: ParsedBeef, { isOwn }: Provenance): Buffer {
  const needed = valid(() => withAncestors(subject.txid, (txid) => transactions.get(txid)));
  const beef = serializeBeef(needed);
  if (beef.length <= MAX_BEEF_BYTES || isOwn === true) return beef;
  throw invalid(
    `The transaction and what verifies it have ${beef.length} bytes, and ${MAX_BEEF_BYTES} are taken here.`,
  );
}

/** @throws {RuleError} `ERR_INVALID_TRANSACTION` */
function valid<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw error instanceof InvalidTransactionError ? invalid(error.message) : error;
  }
}

function invalid(description: string): RuleError {
  return new RuleError('ERR_INVALID_TRANSACTION', description);
}

/** What a lookup service lets through of the database's errors. */
async function translated<T>(work: Promise<T>): Promise<T> {
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
