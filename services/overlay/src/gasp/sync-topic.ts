import { type Logger, RuleError } from '@messagebox/shared';
import { ChainUnavailableError, InvalidTransactionError, outpointKey, VerifierBusyError } from '@messagebox/wallet';
import type { OverlayEngine } from '../engine/overlay-engine.js';
import type { OverlayStorage } from '../engine/overlay-storage.js';
import { FetchError } from '../net/public-fetch.js';
import { fetchBeef } from './graph.js';
import { type ListedByPeer, type ListOfPeer, type Peer, PeerBudgetError, UselessAnswerError } from './peer.js';
import type { TopicRefusals } from './refusals.js';

export interface SyncTopicParts {
  readonly engine: OverlayEngine;
  readonly storage: OverlayStorage;
  readonly log: Logger;
}

/** What became of the outputs that a peer listed. */
export interface TopicSync {
  known: number;
  admitted: number;
  /** Not valid, not fit for the topic, or not what the peer had said it was. What may be valid later is asked for again. */
  refused: number;
  /** Could not be had or not be verified now; asked for again the next time. */
  failed: number;
  /** Why it ended early, if it did. */
  problem?: string;
}

/** Outputs that a peer admitted before the last one that it listed then, and committed after it. */
const OVERLAP_MS = 600_000;
const PAGE = 1_000;
const MOST_PAGES = 50;
/** So many failures in a row, and the peer is left alone until the next time. */
const PATIENCE = 5;

/**
 * Takes over what a peer holds of a topic and we don't: lists what is new since the last time, fetches each output with
 * what it rests on, and submits it like anybody's transaction, so that nothing wrong gets in, whatever the peer sends.
 * What fails stops nothing else; what could not be had now is tried again the next time, since the time up to which the
 * peer is known doesn't pass it.
 *
 * @param refusals of earlier runs with this peer and topic
 */
export async function syncTopic(
  parts: SyncTopicParts,
  peer: Peer,
  topic: string,
  refusals: TopicRefusals,
): Promise<TopicSync> {
  const { storage } = parts;
  const since = await storage.getLastInteraction(peer.origin, topic);
  const run = new Run(parts, peer, topic, refusals);
  await run.from(Math.max(0, since - OVERLAP_MS));
  const until = run.completeUntil();
  if (until > since) await storage.updateLastInteraction(peer.origin, topic, until);
  return run.outcome;
}

class Run {
  readonly outcome: TopicSync = { known: 0, admitted: 0, refused: 0, failed: 0 };
  readonly #seen = new Set<string>();
  #latest = 0;
  /** Of those that are to be asked for again. */
  #earliestMissing = Number.MAX_SAFE_INTEGER;
  #failuresInARow = 0;

  constructor(
    private readonly parts: SyncTopicParts,
    private readonly peer: Peer,
    private readonly topic: string,
    private readonly refusals: TopicRefusals,
  ) {}

  async from(start: number): Promise<void> {
    let from = start;
    for (let page = 0; page < MOST_PAGES; page++) {
      const { outputs, full } = await this.#list(from);
      const fresh = outputs.filter((output) => !this.#seen.has(outpointKey(output)));
      if (!(await this.#takeAll(fresh))) return;
      const last = outputs.at(-1);
      if (last === undefined || !full) return;
      from = last.score > from ? last.score : from + 1;
    }
  }

  /** Up to when nothing of the peer's is missing here. Its clock is not believed to be ahead of ours. */
  completeUntil(): number {
    return Math.min(this.#latest, this.#earliestMissing, Date.now());
  }

  async #list(from: number): Promise<ListOfPeer> {
    try {
      return await this.peer.list(from, PAGE);
    } catch (error) {
      if (!isOfPeer(error)) throw error;
      this.outcome.problem = error.message;
      return { outputs: [], full: false };
    }
  }

  /** @returns false when it is no use to go on */
  async #takeAll(outputs: readonly ListedByPeer[]): Promise<boolean> {
    const known = await this.parts.storage.appliedAmong(this.topic, [...new Set(outputs.map(({ txid }) => txid))]);
    for (const output of outputs) {
      this.#seen.add(outpointKey(output));
      this.#latest = Math.max(this.#latest, output.score);
    }
    const unknown = outputs.filter(({ txid }) => !known.has(txid));
    this.outcome.known += outputs.length - unknown.length;
    const behind = unknown.filter((output) => this.refusals.isBehind(output));
    for (const output of behind) this.refusals.putBehind(output);
    const others = unknown.filter((output) => !this.refusals.isBehind(output));
    if (!(await this.#takeEach(others))) {
      for (const output of behind) this.#isMissing(output);
      return false;
    }
    // These have failed before. If they do again, that says nothing of the peer or the chain, nor of the next page.
    await this.#takeEach(behind);
    this.#failuresInARow = 0;
    return true;
  }

  /**
   * @param outputs oldest first, so that the first one that is missing has those behind it asked for the next time
   * @returns false when it is no use to go on
   */
  async #takeEach(outputs: readonly ListedByPeer[]): Promise<boolean> {
    for (const output of outputs) if (!(await this.#take(output))) return false;
    return true;
  }

  /** @returns false when it is no use to go on */
  async #take(output: ListedByPeer): Promise<boolean> {
    try {
      const beef = await fetchBeef(this.peer, output);
      const from = { askedBy: this.peer.origin, admittedAt: output.score };
      const steak = (await this.parts.engine.apply(beef, [this.topic], from))[this.topic];
      this.outcome[steak?.outputsToAdmit.includes(output.outputIndex) === true ? 'admitted' : 'refused'] += 1;
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      this.parts.log.debug(
        { peer: this.peer.origin, topic: this.topic, txid: output.txid, reason: error.message },
        'not synchronised',
      );
      this.refusals.putBehind(output);
      if (!isRefusal(error)) return this.#failed(output, error);
      this.outcome.refused += 1;
      if (mayBeValidLater(error) && this.refusals.isToBeAskedForAgain(output)) this.#isMissing(output);
    }
    this.#failuresInARow = 0;
    return true;
  }

  /** @returns false when it is no use to go on */
  #failed(output: ListedByPeer, error: Error): boolean {
    this.#isMissing(output);
    this.outcome.failed += 1;
    this.outcome.problem = error.message;
    this.#failuresInARow += 1;
    return mayGoBetterWithAnother(error) && this.#failuresInARow < PATIENCE;
  }

  #isMissing({ score }: ListedByPeer): void {
    this.#earliestMissing = Math.min(this.#earliestMissing, score);
  }
}

/** The chain may answer about one block and not about another, and so may a peer about its outputs. */
function mayGoBetterWithAnother(error: Error): boolean {
  return [FetchError, ChainUnavailableError, VerifierBusyError].some((type) => error instanceof type);
}

function isRefusal(error: Error): boolean {
  return [RuleError, InvalidTransactionError, UselessAnswerError].some((type) => error instanceof type);
}

/**
 * A block that the chain's tracker does not know yet, ancestors that are not in a block yet, a machine that was too busy.
 * The engine does not tell these from what is wrong for ever.
 */
function mayBeValidLater(error: Error): boolean {
  if (error instanceof RuleError) return error.code === 'ERR_INVALID_TRANSACTION';
  return error instanceof InvalidTransactionError && (error.kind === 'limit' || error.kind === 'incomplete');
}

function isOfPeer(error: unknown): error is Error {
  return [FetchError, UselessAnswerError, PeerBudgetError].some((type) => error instanceof type);
}
