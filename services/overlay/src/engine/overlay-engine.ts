import type { STEAK } from '@bsv/sdk';
import { RuleError } from '@messagebox/messages';
import type { Logger } from '@messagebox/shared';
import { translateError } from '@messagebox/store';
import {
  ChainUnavailableError,
  InvalidTransactionError,
  type MerkleProof,
  type ParsedBeef,
  type ParsedTransaction,
  type PrunedBeef,
  parseBeef,
  serializeBeef,
} from '@messagebox/transactions';
import type { OverlayLookup } from '../lookups/overlay-lookup.js';
import type { ListedOutput } from '../storage/output-store.js';
import type { OverlayStorage } from '../storage/overlay-storage.js';
import type { OverlayTopic } from '../topics/token-topic.js';
import { applyTransaction } from './apply-transaction.js';
import type { BeefVerifier } from './beef-verifier.js';
import { undoTransaction } from './evict-transaction.js';
import { extractNeededBeef } from './extract-needed-beef.js';
import { type ForeignNode, findForeignNode, parseSyncRequest } from './gasp-requests.js';
import { hashSubmitter } from './hash-submitter.js';
import { OverlayFullError } from './overlay-full-error.js';
import { findUnmined, isKeptProof } from './reorgs.js';
import { type AnswerBudget, attachBeefs, type OutputWithBeef } from './share-answer.js';
import type { Provenance, Submission } from './submission.js';
import { invalidTransactionError, withTransactionErrors } from './transaction-errors.js';

export interface OverlayEngineOptions {
  readonly topics: Readonly<Record<string, OverlayTopic>>;
  readonly lookups: Readonly<Record<string, OverlayLookup>>;
  readonly storage: OverlayStorage;
  readonly verifier: BeefVerifier;
  readonly log: Logger;
  /** Whether only transactions that are in a block or spend a held output are accepted. Default: false. */
  readonly isFull?: () => boolean;
  /** The bytes of unproven transactions that one submitter may have; undefined: any number. Default: undefined. */
  readonly share?: () => number | undefined;
  /**
   * Fetches the merkle path of an admitted transaction without one, before the submission is answered. For the play chain,
   * which mines each transaction at once. Default: none is fetched, since a real chain needs minutes for a block.
   */
  readonly fetchProofNow?: (txid: string) => Promise<MerkleProof | undefined>;
  /** Called for each topic of a submission. */
  readonly onOutcome?: (topic: string, outcome: SubmissionOutcome) => void;
  readonly now?: () => number;
}

export type SubmissionOutcome = 'admitted' | 'removed' | 'unchanged' | 'duplicate';

/** An answer to a lookup (BRC-24). */
export interface LookupAnswer {
  readonly type: 'output-list';
  readonly outputs: readonly OutputWithBeef[];
}

/** Bytes of BEEF in one answer to a lookup. Outputs that don't fit are left out. */
const MAX_ANSWER_BYTES = 1_048_576;
/** Transactions in a submitted BEEF, needed or not. A megabyte of the smallest ones would take a second to parse. */
const MAX_SUBMITTED_TRANSACTIONS = 1_000;

/** Topics and lookup services (BRC-22, BRC-24) for transactions of strangers, in this server's database. */
export class OverlayEngine {
  readonly #options: OverlayEngineOptions;
  #lastScore = 0;

  constructor(options: OverlayEngineOptions) {
    this.#options = options;
  }

  get topics(): OverlayEngineOptions['topics'] {
    return this.#options.topics;
  }

  get lookups(): OverlayEngineOptions['lookups'] {
    return this.#options.lookups;
  }

  /**
   * Verifies a transaction and applies it to all the topics or to none. The changes are committed when this resolves.
   * Nothing is broadcast, and no other host is told. For a topic that has applied the transaction before, the answer
   * admits and retains nothing.
   *
   * @throws {RuleError} `ERR_UNKNOWN_TOPIC`, `ERR_INVALID_TRANSACTION`, `ERR_DOUBLE_SPEND`; nothing has changed then
   * @throws {ChainUnavailableError}, {@link VerifierBusyError}, {@link OverlayFullError}, {@link StoreUnavailableError}:
   *   can be retried later
   */
  async apply(beef: Uint8Array, topics: readonly string[], from: Provenance = {}): Promise<STEAK> {
    for (const topic of topics) this.#assertTopic(topic);
    const names = [...new Set(topics)];
    const claimed = withTransactionErrors(() => parseBeef(beef, MAX_SUBMITTED_TRANSACTIONS));
    const steak = (await this.#answerDuplicate(claimed, names)) ?? (await this.#verifyAndApply(claimed, names, from));
    await this.#fetchProofNow(claimed.subject, steak);
    for (const [topic, outcome] of Object.entries(steak))
      this.#options.onOutcome?.(topic, toSubmissionOutcome(outcome));
    return steak;
  }

  /**
   * Answers a query of a lookup service (BRC-24).
   *
   * @param transactions see {@link AnswerBudget}
   * @throws {RuleError} `ERR_UNKNOWN_LOOKUP_SERVICE`, `ERR_INVALID_QUERY`
   */
  async lookup(
    { service, query }: { readonly service: string; readonly query: unknown },
    transactions: AnswerBudget['transactions'] = 'each',
  ): Promise<LookupAnswer> {
    const { lookups, storage } = this.#options;
    const lookup = Object.hasOwn(lookups, service) ? lookups[service] : undefined;
    if (lookup === undefined) {
      throw new RuleError('ERR_UNKNOWN_LOOKUP_SERVICE', 'This host does not have that lookup service.');
    }
    const found = await withStoreErrors(lookup.find(query));
    return {
      type: 'output-list',
      outputs: await attachBeefs(storage.beefs, found, { bytes: MAX_ANSWER_BYTES, transactions }),
    };
  }

  /**
   * Lists the outputs of a topic for another host (GASP, BRC-40).
   *
   * @throws {RuleError} `ERR_UNKNOWN_TOPIC`, `ERR_INVALID_SYNC_REQUEST`
   */
  async provideForeignSyncResponse(
    request: unknown,
    topic: string,
  ): Promise<{ UTXOList: ListedOutput[]; since: number }> {
    this.#assertTopic(topic);
    const { since, limit } = parseSyncRequest(request);
    return { UTXOList: await this.#options.storage.outputs.list(topic, since, limit), since };
  }

  /**
   * Finds a transaction for another host (GASP, BRC-40): the one that has a held output, or one of its ancestors.
   *
   * @param onRead called with the number of bytes that were read to find the transaction
   * @throws {RuleError} `ERR_UNKNOWN_OUTPUT`, `ERR_INVALID_SYNC_REQUEST`
   */
  async provideForeignGASPNode(
    graphID: unknown,
    txid: unknown,
    outputIndex: unknown,
    onRead?: (bytes: number) => Promise<void>,
  ): Promise<ForeignNode> {
    return await findForeignNode(this.#options.storage, graphID, txid, outputIndex, onRead);
  }

  /**
   * Records that a transaction is in a block. Its ancestors are not needed any more, and are deleted.
   *
   * @param proof the merkle path, as the chain gives it
   */
  async recordProof(txid: string, proof: MerkleProof): Promise<void> {
    await this.#options.storage.transaction(async (inside, runner) => {
      const beef = await inside.beefs.find(txid);
      const proven = beef === undefined ? undefined : serializeBeef([{ ...parseBeef(beef).subject, proof }]);
      await inside.markProven(txid, proven);
      for (const lookup of Object.values(this.#options.lookups)) await lookup.prove(runner, txid, proof.blockHeight);
    });
  }

  /**
   * Undoes what an unproven transaction did to a topic, and deletes what is stored for it.
   *
   * @returns false when the transaction is proven by now, or was removed before
   */
  async removeUnproven(txid: string, topic: string): Promise<boolean> {
    const { storage, lookups } = this.#options;
    return await storage.transaction(async (inside, runner) => {
      if (!(await inside.applied.deleteUnproven(txid, topic))) return false;
      await undoTransaction(txid, topic, { storage: inside, runner, lookups: Object.values(lookups) });
      return true;
    });
  }

  async #fetchProofNow({ txid, proof }: ParsedTransaction, steak: STEAK): Promise<void> {
    const { fetchProofNow, log } = this.#options;
    const isAdmitted = Object.values(steak).some(({ outputsToAdmit }) => outputsToAdmit.length > 0);
    if (fetchProofNow === undefined || proof !== undefined || !isAdmitted) return;
    try {
      const found = await fetchProofNow(txid);
      if (found !== undefined) await this.recordProof(txid, found);
    } catch (error) {
      // The transaction is admitted all the same. Pruning asks the chain again later.
      if (!(error instanceof ChainUnavailableError)) throw error;
      log.warn({ txid, reason: error.message }, 'the chain could not be asked for a merkle path at once');
    }
  }

  #assertTopic(topic: unknown): void {
    if (typeof topic !== 'string' || !Object.hasOwn(this.#options.topics, topic)) {
      throw new RuleError('ERR_UNKNOWN_TOPIC', 'This host does not have that topic.');
    }
  }

  /**
   * Answers for a transaction that all the topics have applied already: the same txid needs no second verification, unless
   * it brings a merkle path that is not stored.
   */
  async #answerDuplicate({ subject }: ParsedBeef, topics: readonly string[]): Promise<STEAK | undefined> {
    const { storage } = this.#options;
    const steak: STEAK = {};
    for (const topic of topics) {
      const applied = await storage.applied.find(subject.txid, topic);
      if (applied === undefined) return undefined;
      const isNews = subject.proof !== undefined && !(applied.proven && (await isKeptProof(storage, subject)));
      if (isNews) return undefined;
      steak[topic] = { outputsToAdmit: [], coinsToRetain: [] };
    }
    return steak;
  }

  async #verifyAndApply(claimed: ParsedBeef, topics: readonly string[], from: Provenance): Promise<STEAK> {
    if (from.isOwn !== true && (await this.#lacksRoom(claimed, topics, from))) throw new OverlayFullError();
    const needed = extractNeededBeef(claimed, from);
    const cost = await this.#verify(needed, from.askedBy);
    try {
      const steak = await this.#applyVerified(claimed, needed, topics, from);
      const outcomes = Object.values(steak).map(toSubmissionOutcome);
      const isUseless = outcomes.every((outcome) => outcome === 'unchanged');
      this.#report(from, isUseless ? 'useless' : 'useful', cost);
      return steak;
    } catch (error) {
      if (error instanceof RuleError) this.#report(from, 'useless', cost);
      throw error;
    }
  }

  #report({ askedBy }: Provenance, outcome: 'useful' | 'useless', cost: number): void {
    if (askedBy !== undefined) this.#options.verifier.report(askedBy, outcome, cost);
  }

  async #applyVerified(
    claimed: ParsedBeef,
    needed: PrunedBeef,
    topics: readonly string[],
    from: Provenance,
  ): Promise<STEAK> {
    const { storage, lookups, topics: known } = this.#options;
    const score = this.#nextScore();
    const submission: Submission = {
      parsed: needed,
      sources: claimed.transactions,
      unmined: await findUnmined(this.#options, claimed.subject, topics, from.askedBy),
      beef: needed.bytes,
      isOwn: from.isOwn === true,
      submitter: from.isOwn === true || from.askedBy === undefined ? undefined : hashSubmitter(from.askedBy),
      score,
      admittedAt: Math.min(from.admittedAt ?? score, score),
    };
    return await storage.transaction((inside, runner) =>
      applyTransaction(submission, topics, { topics: known, lookups }, inside, runner),
    );
  }

  /** Transactions that are in a block or spend a held output are always accepted. */
  async #lacksRoom({ subject }: ParsedBeef, topics: readonly string[], { askedBy }: Provenance): Promise<boolean> {
    if (subject.proof !== undefined) return false;
    const share = this.#options.share?.();
    const isOverShare = async () =>
      share !== undefined &&
      askedBy !== undefined &&
      (await this.#options.storage.beefs.sumSubmitterBytes(hashSubmitter(askedBy))) >= share;
    if (this.#options.isFull?.() !== true && !(await isOverShare())) return false;
    for (const topic of topics) {
      if ((await this.#options.storage.outputs.filterHeld(topic, subject.inputs)).size > 0) return false;
    }
    return true;
  }

  /** @returns the milliseconds of CPU that the verification took; see {@link BeefVerifier.verify} */
  async #verify(beef: PrunedBeef, askedBy: string | undefined): Promise<number> {
    try {
      return (await this.#options.verifier.verify(beef, askedBy)).cost;
    } catch (error) {
      throw error instanceof InvalidTransactionError ? invalidTransactionError(error.message) : error;
    }
  }

  /** Scores are unique in this process, so that a page of a GASP list can end at any output. */
  #nextScore(): number {
    this.#lastScore = Math.max(this.#lastScore + 1, this.#options.now?.() ?? Date.now());
    return this.#lastScore;
  }
}

/** Translates database errors that a lookup service throws. */
async function withStoreErrors<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw error instanceof RuleError ? error : translateError(error);
  }
}

function toSubmissionOutcome({ outputsToAdmit, coinsRemoved }: STEAK[string]): SubmissionOutcome {
  if (outputsToAdmit.length > 0) return 'admitted';
  if (coinsRemoved === undefined) return 'duplicate';
  return coinsRemoved.length > 0 ? 'removed' : 'unchanged';
}
