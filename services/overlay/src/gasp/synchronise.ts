import type { Metrics } from '@messagebox/shared';
import { type FindPeersParts, findPeers } from './find-peers.js';
import { Peer, type PeerLimits } from './peer.js';
import { Refusals } from './refusals.js';
import { type SyncTopicParts, syncTopic, type TopicSync } from './sync-topic.js';

export interface SynchroniserParts extends FindPeersParts, SyncTopicParts {
  readonly metrics?: Pick<Metrics, 'overlaySyncedOutputs'>;
  readonly limits?: Partial<SyncLimits>;
  readonly now?: () => number;
}

export interface SyncLimits extends PeerLimits {
  /** Milliseconds for one topic of one peer. */
  readonly topicMs: number;
}

export type PeerSync = TopicSync & { readonly peer: string; readonly topic: string };

/** In the order in which they are worth having: hosts first, by which more is found the next time. */
const TOPICS = ['tm_ship', 'tm_slap', 'tm_messagebox'];
const DEFAULT_LIMITS: SyncLimits = { requests: 5_000, bytes: 67_108_864, requestMs: 10_000, topicMs: 120_000 };

/**
 * Takes over from other hosts what they hold of our topics and we don't, one after the other. A peer that is down, slow
 * or hostile costs bounded time and bytes, and nothing else.
 */
export class Synchroniser {
  readonly #refusals: Refusals;
  #isRunning = false;

  constructor(private readonly parts: SynchroniserParts) {
    this.#refusals = new Refusals(parts.now);
  }

  /**
   * Does nothing while another run goes on here: runs take as long as peers like, and would take up all workers.
   *
   * @param signal ends it early
   * @returns what became of each peer and topic
   * @throws {StoreUnavailableError}
   */
  async run(signal?: AbortSignal): Promise<PeerSync[]> {
    if (this.#isRunning) return [];
    this.#isRunning = true;
    try {
      return await this.#run(signal);
    } finally {
      this.#isRunning = false;
    }
  }

  async #run(signal: AbortSignal | undefined): Promise<PeerSync[]> {
    const done: PeerSync[] = [];
    for (const [topic, peers] of await findPeers(TOPICS, this.parts, signal)) {
      for (const origin of peers) {
        if (signal?.aborted === true) return done;
        done.push({ peer: origin, topic, ...(await this.#syncTopic(origin, topic, signal)) });
      }
    }
    return done;
  }

  async #syncTopic(origin: string, topic: string, signal: AbortSignal | undefined): Promise<TopicSync> {
    const { fetch, log, metrics } = this.parts;
    const limits = { ...DEFAULT_LIMITS, ...this.parts.limits };
    const time = AbortSignal.timeout(limits.topicMs);
    const until = signal === undefined ? time : AbortSignal.any([time, signal]);
    const peer = new Peer(origin, topic, fetch, limits, until);
    const outcome = await syncTopic(this.parts, peer, topic, this.#refusals.of(`${topic} ${origin}`));
    const { known, admitted, refused, failed, problem } = outcome;
    for (const [name, count] of Object.entries({ known, admitted, refused, failed })) {
      metrics?.overlaySyncedOutputs.inc({ topic, outcome: name }, count);
    }
    if (problem === undefined) log.debug({ peer: origin, topic, ...outcome }, 'synchronised with a peer');
    else log.warn({ peer: origin, topic, known, admitted, refused, failed, reason: problem }, 'a peer has failed');
    return outcome;
  }
}
