import type { Metrics } from '@messagebox/shared';
import type { OverlayEngine } from '../engine/overlay-engine.js';
import type { OverlayStorage } from '../engine/overlay-storage.js';
import { type FindPeersParts, findPeers } from './find-peers.js';
import { Peer, type PeerLimits } from './peer.js';
import { syncTopic, type TopicSync } from './sync-topic.js';

export interface SynchroniseParts extends FindPeersParts {
  readonly engine: OverlayEngine;
  readonly storage: OverlayStorage;
  readonly metrics?: Pick<Metrics, 'overlaySyncedOutputs'>;
  readonly limits?: Partial<SyncLimits>;
  /** Ends it early. */
  readonly signal?: AbortSignal;
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
 *
 * @returns what became of each peer and topic
 * @throws {StoreUnavailableError}
 */
export async function synchronise(parts: SynchroniseParts): Promise<PeerSync[]> {
  const { engine, storage, fetch, log, metrics } = parts;
  const limits = { ...DEFAULT_LIMITS, ...parts.limits };
  const done: PeerSync[] = [];
  for (const [topic, peers] of await findPeers(TOPICS, parts)) {
    for (const origin of peers) {
      if (parts.signal?.aborted === true) return done;
      const time = AbortSignal.timeout(limits.topicMs);
      const signal = parts.signal === undefined ? time : AbortSignal.any([time, parts.signal]);
      const outcome = await syncTopic(engine, storage, new Peer(origin, topic, fetch, limits, signal), topic, log);
      done.push({ peer: origin, topic, ...outcome });
      const { known, admitted, refused, failed, problem } = outcome;
      for (const [name, count] of Object.entries({ known, admitted, refused, failed })) {
        metrics?.overlaySyncedOutputs.inc({ topic, outcome: name }, count);
      }
      if (problem === undefined) log.debug({ peer: origin, topic, ...outcome }, 'synchronised with a peer');
      else log.warn({ peer: origin, topic, known, admitted, refused, failed, reason: problem }, 'a peer has failed');
    }
  }
  return done;
}
