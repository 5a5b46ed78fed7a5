import type { AuthSocket, Broadcast } from '@messagebox/brc103/socket-io';
import {
  errorMessage,
  getRateLimitedLog,
  type LimitHitReporter,
  type Logger,
  type Metrics,
  type RoomEventGap,
  type RoomEventGaps,
} from '@messagebox/shared';
import type { MessageStore } from '@messagebox/store';
import type { Server } from 'socket.io';
import { DeliveredMessages } from './delivered-messages.js';
import { HeldEvents } from './held-events.js';
import { MissedMessages } from './missed-messages.js';
import { RoomGate } from './room-gate.js';
import { RowScan, type TakeRow } from './row-scan.js';

/** When what is done. Milliseconds. */
export interface RecoveryTimes {
  /** How often new rows are looked at. */
  readonly interval: number;
  /** How long the live event of a row may take. */
  readonly grace: number;
  /** When rows are read again to find those that were committed late, in ascending order. */
  readonly late: readonly number[];
  /** The longest pause after errors of the database. */
  readonly maxPause: number;
}

/**
 * A statement ends within 10 s and a wait for a lock within 3 s, with few of them in a transaction. A send that takes longer
 * than 65 s from its row id to its commit does not exist while the database answers.
 */
export const DEFAULT_RECOVERY_TIMES: RecoveryTimes = {
  interval: 1_000,
  grace: 2_500,
  late: [10_000, 65_000],
  maxPause: 2_000,
};

export interface LiveRecoveryOptions {
  readonly io: Server;
  readonly namespaces: readonly string[];
  readonly store: Pick<MessageStore, 'engine' | 'findNewestId' | 'listHeaders' | 'readBodies'>;
  readonly gaps: RoomEventGaps;
  /** The sockets of an identity on this instance. */
  readonly getSocketsOf: (identityKey: string) => Iterable<AuthSocket>;
  readonly maxBodyBytes: number;
  /** What may wait for one slow client before its connection is closed. */
  readonly maxBuffered: { readonly bytes: number; readonly events: number };
  readonly metrics: Metrics;
  readonly limitsHit: LimitHitReporter;
  readonly log: Logger;
  /** Default: {@link DEFAULT_RECOVERY_TIMES}. */
  readonly times?: RecoveryTimes | undefined;
}

/**
 * Delivers stored messages whose live events were lost, to the sockets that were in their rooms.
 *
 * Each second it reads the headers of new rows. A row for a room with sockets here, whose live event does not arrive within
 * `grace`, is delivered from the database. So it does not matter why an event was lost. A reported gap makes this happen at
 * once, and holds live events back meanwhile, so that a sender's messages stay in order.
 */
export class LiveRecovery {
  readonly delivered = new DeliveredMessages();
  readonly #times: RecoveryTimes;
  readonly #gate: RoomGate;
  readonly #held: HeldEvents;
  readonly #missed: MissedMessages;
  readonly #scan: RowScan;
  readonly #stopListening: () => void;
  /** The gap that is to be caught up with: the earliest of those that were reported since the last pass. */
  #gap: RoomEventGap | undefined;
  #isHolding = false;
  #isClosed = false;
  #failures = 0;
  #completeAt = performance.now();
  #wakeUp = () => {};

  constructor(private readonly options: LiveRecoveryOptions) {
    const { io, namespaces, store, metrics, limitsHit } = options;
    this.#times = options.times ?? DEFAULT_RECOVERY_TIMES;
    this.#held = new HeldEvents({
      mustWait: (message) => this.#isHolding || this.#missed.hasOlder(message),
      onLimitHit: () => limitsHit.report('held_events'),
    });
    this.#gate = new RoomGate({
      io,
      namespaces,
      delivered: this.delivered,
      hold: (event) => {
        const isFirst = this.#held.size === 0;
        const isHeld = this.#held.offer(event);
        if (isHeld && isFirst) this.#wakeUp();
        return isHeld;
      },
      onDelivery: ({ cursor }) => {
        if (cursor !== undefined) this.#scan.markSeen(Number(cursor));
      },
    });
    this.#missed = new MissedMessages({
      store,
      delivered: this.delivered,
      gate: this.#gate,
      getMembers: (room) => this.#getMembers(room),
      isCongested: (identityKey) => this.#isCongested(identityKey),
      maxBodyBytes: options.maxBodyBytes,
      metrics,
      now: () => performance.now(),
    });
    this.#scan = new RowScan({
      store,
      tick: () => this.delivered.tick(),
      lateAfterMs: this.#times.late,
      now: () => performance.now(),
    });
    metrics.addGauge('messagebox_missed_messages', 'Stored messages whose live events have not arrived yet.', () => {
      return this.#missed.size;
    });
    metrics.addGauge(
      'messagebox_recovery_lag_seconds',
      'Time since new rows were last compared with what was delivered live.',
      () => this.lagMs / 1_000,
    );
    this.#gate.trackMembers();
    this.#stopListening = options.gaps.onGap((gap) => this.#noteGap(gap));
    void this.#run();
  }

  /** For `AuthSocketServer`: decides which sockets get a broadcast. */
  admitBroadcast(namespace: string, broadcast: Omit<Broadcast, 'encoded'>): (socket: AuthSocket) => boolean {
    return this.#gate.admit(namespace, broadcast);
  }

  /** Milliseconds since new rows were last compared with what was delivered live. */
  get lagMs(): number {
    return performance.now() - this.#completeAt;
  }

  /** Stops. Nothing is recovered any more. */
  close(): void {
    this.#isClosed = true;
    this.#stopListening();
    this.#held.releaseAll();
    this.#wakeUp();
  }

  #noteGap(gap: RoomEventGap): void {
    const { log, metrics } = this.options;
    metrics.catchUps.inc({ reason: gap.reason });
    log.info(
      { reason: gap.reason, seconds: Math.round((Date.now() - gap.since) / 1_000) },
      'room events may be missing',
    );
    this.#keepGap(gap);
    // While the database fails, live events are not held: nothing can be put in order.
    this.#isHolding = this.#failures === 0;
    this.#wakeUp();
  }

  #keepGap(gap: RoomEventGap): void {
    if (this.#gap === undefined || gap.since < this.#gap.since) this.#gap = gap;
  }

  async #run(): Promise<void> {
    while (!this.#isClosed) {
      const gap = this.#gap;
      this.#gap = undefined;
      try {
        await this.#pass(gap);
        this.#failures = 0;
        this.#completeAt = performance.now();
      } catch (error) {
        this.#failures += 1;
        if (gap !== undefined) this.#keepGap(gap);
        const line = { reason: errorMessage(error), failures: this.#failures };
        if (!this.#isClosed)
          getRateLimitedLog(this.options.log).write('warn', line, 'lost live events are not looked for');
      }
      this.#isHolding = this.#gap !== undefined && this.#failures === 0;
      this.#held.releaseReady();
      if (!this.#isClosed) await this.#wait();
    }
  }

  async #pass(gap: RoomEventGap | undefined): Promise<void> {
    if (!this.#scan.hasBegun || !this.delivered.hasMembers) {
      this.#missed.clear();
      await this.#scan.skip();
      return;
    }
    const startedAt = performance.now();
    let isFull = false;
    const take: TakeRow = (header, seenAt, isLate) => {
      const isTaken = this.#missed.add(header, seenAt, isLate ? 0 : this.#times.grace);
      isFull ||= !isTaken;
      return isTaken;
    };
    let recovered = 0;
    // A commit may have been under way when the database failed.
    const isUncertain = gap !== undefined || this.#failures > 0;
    const isBlocking = () => gap !== undefined || isFull;
    do {
      isFull = false;
      await this.#scan.readNew(take);
      await this.#scan.readLate(take, isUncertain);
      const before = this.#missed.size;
      recovered += await this.#missed.deliverDue((message) => isBlocking() || this.#held.isWaitedFor(message));
      if (this.#missed.size < before) continue;
      if (isFull) this.#closeCongested();
      break;
    } while (isFull && !this.#isClosed);
    const waiting = this.#missed.size;
    const ms = Math.round(performance.now() - startedAt);
    if (gap !== undefined)
      this.options.log.info({ reason: gap.reason, recovered, waiting, ms }, 'caught up with the database');
    else if (recovered > 0)
      getRateLimitedLog(this.options.log).write('info', { recovered, waiting }, 'lost live events recovered');
  }

  /** Waits for the next interval, a gap, or a live event that must not overtake a lost one; after an error, for longer. */
  #wait(): Promise<void> {
    const { interval, maxPause } = this.#times;
    const hasFailed = this.#failures > 0;
    const ms = hasFailed ? Math.min(interval * 2 ** (this.#failures - 1), maxPause) : interval;
    // Reported during the last pass.
    if (this.#gap !== undefined && !hasFailed) return Promise.resolve();
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.#wakeUp = () => {};
        resolve();
      };
      const timer = setTimeout(done, ms);
      timer.unref();
      this.#wakeUp = () => {
        if (!hasFailed || this.#isClosed) done();
      };
    });
  }

  #getMembers(room: string): Map<string, Iterable<string>> {
    const members = new Map<string, Iterable<string>>();
    for (const namespace of this.options.namespaces) {
      const sockets = this.options.io.of(namespace).adapter.rooms.get(room);
      if (sockets !== undefined) members.set(namespace, sockets);
    }
    return members;
  }

  #isCongested(identityKey: string): boolean {
    return this.#findCongested(identityKey).length > 0;
  }

  /** A quarter of what may wait for a client is left to recovery, so that recovery does not close connections. */
  #findCongested(identityKey: string): AuthSocket[] {
    const { bytes, events } = this.options.maxBuffered;
    return [...this.options.getSocketsOf(identityKey)].filter(
      ({ bufferedBytes, queuedEvents }) => bufferedBytes > bytes / 4 || queuedEvents > events / 4,
    );
  }

  /** Clients that take nothing must not keep what others have missed from being read. They reconnect. */
  #closeCongested(): void {
    for (const identityKey of this.#missed.recipients) {
      for (const socket of this.#findCongested(identityKey)) socket.closeAsTooSlow();
    }
  }
}
