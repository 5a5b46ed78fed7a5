import type { Metrics } from '@messagebox/shared';
import { type FindPeersOptions, findPeers } from './find-peers.js';
import { GaspPeer, type PeerLimits } from './gasp-peer.js';
import { Refusals } from './refusals.js';
import { type SyncTopicOptions, syncTopic, type TopicSyncResult } from './sync-topic.js';

export interface SynchroniserOptions extends FindPeersOptions, SyncTopicOptions {
  readonly metrics?: Pick<Metrics, 'overlaySyncedOutputs'>;
  readonly limits?: Partial<SyncLimits>;
  readonly now?: () => number;
}

export interface SyncLimits extends PeerLimits {
  /** Timeout of one topic of one peer. */
  readonly topicMs: number;
}

export type PeerSyncResult = TopicSyncResult & { readonly peer: string; readonly topic: string };

/** Hosts come first, because they lead to more peers in the next run. */
const TOPICS = ['tm_ship', 'tm_slap', 'tm_messagebox'];
const DEFAULT_LIMITS: SyncLimits = { requests: 5_000, bytes: 67_108_864, requestMs: 10_000, topicMs: 120_000 };

/**
 * Copies what other hosts hold of this host's topics, one peer after the other. A peer that is down, slow or hostile costs
 * only a limited number of seconds and bytes.
 */
export class Synchroniser {
  readonly #refusals: Refusals;
  #isRunning = false;

  constructor(private readonly options: SynchroniserOptions) {
    this.#refusals = new Refusals(options.now);
  }

  /**
   * Synchronises with all peers. Does nothing during another run in this process: slow peers make runs long, and several
   * runs would occupy all workers.
   *
   * @param signal ends the run early
   * @returns the result of each peer and topic
   * @throws {StoreUnavailableError}
   */
  async run(signal?: AbortSignal): Promise<PeerSyncResult[]> {
    if (this.#isRunning) return [];
    this.#isRunning = true;
    try {
      return await this.#run(signal);
    } finally {
      this.#isRunning = false;
    }
  }

  async #run(signal: AbortSignal | undefined): Promise<PeerSyncResult[]> {
    const done: PeerSyncResult[] = [];
    for (const [topic, peers] of await findPeers(TOPICS, this.options, signal)) {
      for (const origin of peers) {
        if (signal?.aborted === true) return done;
        done.push({ peer: origin, topic, ...(await this.#syncTopic(origin, topic, signal)) });
      }
    }
    return done;
  }

  async #syncTopic(origin: string, topic: string, signal: AbortSignal | undefined): Promise<TopicSyncResult> {
    const { fetch, log, metrics } = this.options;
    const limits = { ...DEFAULT_LIMITS, ...this.options.limits };
    const time = AbortSignal.timeout(limits.topicMs);
    const until = signal === undefined ? time : AbortSignal.any([time, signal]);
    const peer = new GaspPeer(origin, topic, fetch, limits, until);
    const outcome = await syncTopic(this.options, peer, topic, this.#refusals.beginRun(`${topic} ${origin}`));
    const { known, admitted, refused, failed, problem } = outcome;
    for (const [name, count] of Object.entries({ known, admitted, refused, failed })) {
      metrics?.overlaySyncedOutputs.inc({ topic, outcome: name }, count);
    }
    if (problem === undefined) log.debug({ peer: origin, topic, ...outcome }, 'synchronised with a peer');
    else
      log.warn(
        { peer: origin, topic, known, admitted, refused, failed, reason: problem },
        'synchronisation with a peer failed',
      );
    return outcome;
  }
}
