import { RuleError } from '@messagebox/messages';
import { FetchError, type Logger } from '@messagebox/shared';
import {
  ChainUnavailableError,
  InvalidTransactionError,
  toOutpointKey,
  VerifierBusyError,
} from '@messagebox/transactions';
import type { OverlayEngine } from '../engine/overlay-engine.js';
import type { OverlayStorage } from '../storage/overlay-storage.js';
import { fetchBeef } from './fetch-beef.js';
import {
  type GaspPeer,
  InvalidPeerAnswerError,
  PeerBudgetError,
  type PeerOutput,
  type PeerOutputList,
} from './gasp-peer.js';
import type { TopicRefusals } from './refusals.js';

export interface SyncTopicOptions {
  readonly engine: OverlayEngine;
  readonly storage: OverlayStorage;
  readonly log: Logger;
}

/** The numbers of outputs that a peer listed, by outcome. */
export interface TopicSyncResult {
  known: number;
  admitted: number;
  /** Invalid, not admitted by the topic, or wrong answers of the peer. Those that can become valid are fetched again. */
  refused: number;
  /** Could not be fetched or verified now; fetched again in the next run. */
  failed: number;
  /** The last problem with the peer or the chain. */
  problem?: string;
}

/** Covers outputs that the peer admitted before the last one of its list, and committed after it. */
const OVERLAP_MS = 600_000;
const PAGE_SIZE = 1_000;
const MAX_PAGES = 50;
/** After this number of failures in a row, the run with the peer ends. */
const MAX_CONSECUTIVE_FAILURES = 5;

/**
 * Copies the outputs of a topic that a peer holds and this host lacks: lists the outputs since the last run, fetches each
 * with its ancestors, and submits it like a client's transaction, so that it is fully verified. A failure does not stop
 * the others. A failed output is fetched again in the next run, because the stored score does not pass it.
 *
 * @param refusals the refusals of earlier runs with this peer and topic
 */
export async function syncTopic(
  options: SyncTopicOptions,
  peer: GaspPeer,
  topic: string,
  refusals: TopicRefusals,
): Promise<TopicSyncResult> {
  const { storage } = options;
  const since = await storage.syncState.find(peer.origin, topic);
  const run = new TopicSyncRun(options, peer, topic, refusals);
  await run.syncFrom(Math.max(0, since - OVERLAP_MS));
  const until = run.completeUntil();
  if (until > since) await storage.syncState.update(peer.origin, topic, until);
  return run.outcome;
}

class TopicSyncRun {
  readonly outcome: TopicSyncResult = { known: 0, admitted: 0, refused: 0, failed: 0 };
  readonly #seen = new Set<string>();
  #latest = 0;
  /** The lowest score of the outputs that the next run has to fetch again. */
  #earliestMissing = Number.MAX_SAFE_INTEGER;
  #failuresInARow = 0;

  constructor(
    private readonly options: SyncTopicOptions,
    private readonly peer: GaspPeer,
    private readonly topic: string,
    private readonly refusals: TopicRefusals,
  ) {}

  async syncFrom(start: number): Promise<void> {
    let from = start;
    for (let page = 0; page < MAX_PAGES; page++) {
      const { outputs, full } = await this.#list(from);
      const fresh = outputs.filter((output) => !this.#seen.has(toOutpointKey(output)));
      if (!(await this.#submitAll(fresh))) return;
      const last = outputs.at(-1);
      if (last === undefined || !full) return;
      from = last.score > from ? last.score : from + 1;
    }
  }

  /** The score up to which this host has all of the peer's outputs. The peer's clock may not be ahead of this one's. */
  completeUntil(): number {
    return Math.min(this.#latest, this.#earliestMissing, Date.now());
  }

  async #list(from: number): Promise<PeerOutputList> {
    try {
      return await this.peer.listOutputs(from, PAGE_SIZE);
    } catch (error) {
      if (!isPeerError(error)) throw error;
      this.outcome.problem = error.message;
      return { outputs: [], full: false };
    }
  }

  /** @returns false when the run has to end */
  async #submitAll(outputs: readonly PeerOutput[]): Promise<boolean> {
    const known = await this.options.storage.applied.filterApplied(this.topic, [
      ...new Set(outputs.map(({ txid }) => txid)),
    ]);
    for (const output of outputs) {
      this.#seen.add(toOutpointKey(output));
      this.#latest = Math.max(this.#latest, output.score);
    }
    const unknown = outputs.filter(({ txid }) => !known.has(txid));
    this.outcome.known += outputs.length - unknown.length;
    const behind = unknown.filter((output) => this.refusals.isDeprioritized(output));
    for (const output of behind) this.refusals.deprioritize(output);
    const others = unknown.filter((output) => !this.refusals.isDeprioritized(output));
    if (!(await this.#submitEach(others))) {
      for (const output of behind) this.#recordMissing(output);
      return false;
    }
    // These have failed before. Further failures don't mean that the peer or the chain is down, so the next page follows.
    await this.#submitEach(behind);
    this.#failuresInARow = 0;
    return true;
  }

  /**
   * @param outputs oldest first: the next run starts at the first one that is missing
   * @returns false when the run has to end
   */
  async #submitEach(outputs: readonly PeerOutput[]): Promise<boolean> {
    for (const output of outputs) if (!(await this.#submitOne(output))) return false;
    return true;
  }

  /** @returns false when the run has to end */
  async #submitOne(output: PeerOutput): Promise<boolean> {
    try {
      const beef = await fetchBeef(this.peer, output);
      const from = { askedBy: this.peer.origin, admittedAt: output.score };
      const steak = (await this.options.engine.apply(beef, [this.topic], from))[this.topic];
      this.outcome[steak?.outputsToAdmit.includes(output.outputIndex) === true ? 'admitted' : 'refused'] += 1;
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      this.options.log.debug(
        { peer: this.peer.origin, topic: this.topic, txid: output.txid, reason: error.message },
        'an output was not synchronised',
      );
      this.refusals.deprioritize(output);
      if (!isRejection(error)) return this.#recordFailure(output, error);
      this.outcome.refused += 1;
      if (mayBeValidLater(error) && this.refusals.shouldRetry(output)) this.#recordMissing(output);
    }
    this.#failuresInARow = 0;
    return true;
  }

  /** @returns false when the run has to end */
  #recordFailure(output: PeerOutput, error: Error): boolean {
    this.#recordMissing(output);
    this.outcome.failed += 1;
    this.outcome.problem = error.message;
    this.#failuresInARow += 1;
    return isTransient(error) && this.#failuresInARow < MAX_CONSECUTIVE_FAILURES;
  }

  #recordMissing({ score }: PeerOutput): void {
    this.#earliestMissing = Math.min(this.#earliestMissing, score);
  }
}

/** Errors of the peer, the chain or the verifier. They can concern one output only, so a single one doesn't end the run. */
function isTransient(error: Error): boolean {
  return [FetchError, ChainUnavailableError, VerifierBusyError].some((type) => error instanceof type);
}

function isRejection(error: Error): boolean {
  return [RuleError, InvalidTransactionError, InvalidPeerAnswerError].some((type) => error instanceof type);
}

/**
 * Whether a refused output can become valid: its block may be unknown to the chain's tracker yet, its ancestors may be in
 * no block yet, or the verification was too slow on a busy machine. The engine can't distinguish these from permanent
 * errors.
 */
function mayBeValidLater(error: Error): boolean {
  if (error instanceof RuleError) return error.code === 'ERR_INVALID_TRANSACTION';
  return error instanceof InvalidTransactionError && (error.kind === 'limit' || error.kind === 'incomplete');
}

function isPeerError(error: unknown): error is Error {
  return [FetchError, InvalidPeerAnswerError, PeerBudgetError].some((type) => error instanceof type);
}
