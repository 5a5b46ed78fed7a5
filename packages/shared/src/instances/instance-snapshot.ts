/** Whether an instance takes requests. */
export type InstanceState = 'starting' | 'ready' | 'not ready' | 'draining';

/** What an instance has done in the last seconds, in each second. */
export interface Rates {
  readonly messagesPerSecond: number;
  readonly acknowledgedPerSecond: number;
  readonly requestsPerSecond: number;
  readonly pushesPerSecond: number;
}

/** What an instance says of itself every few seconds. It holds no secret. */
export interface InstanceSnapshot {
  /** Unique among instances, and new at each start. */
  readonly id: string;
  /** `api`, `realtime`, `overlay` or `standalone`. */
  readonly service: string;
  readonly version: string;
  /** ISO 8601 in UTC. */
  readonly startedAt: string;
  /** When this was written. ISO 8601 in UTC, by the instance's own clock. */
  readonly seenAt: string;
  readonly state: InstanceState;
  /** What is wrong, one text for each check that fails. */
  readonly reasons: readonly string[];
  /** Open sockets, proven or not. */
  readonly sockets: number;
  readonly rssBytes: number;
  readonly heapBytes: number;
  /** How late timers were since the last snapshot: 99 of 100 were less late. */
  readonly loopDelayMs: number;
  /** The base URL of the internal port, if there is one. */
  readonly address?: string;
  readonly rates: Rates;
  /** Live deliveries of the last minute by their latency: numbers that can be added up. One for each of `LATENCY_BUCKETS_MS`, and one for longer ones. */
  readonly latencyCounts: readonly number[];
  /** Hits of limits since the start, by the limit's name. */
  readonly limitsHit: Readonly<Record<string, number>>;
}
