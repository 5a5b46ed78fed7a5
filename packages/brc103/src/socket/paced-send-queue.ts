import { ClientWindow, MAX_FRAMES_IN_FLIGHT } from './client-window.js';
import type { Sender, SendScheduler } from './send-scheduler.js';

/**
 * The purpose of an initialRequest of the server: to let a returning client prove its identity (`challenge`), to renew the
 * session that signs (`refresh`), or to learn that the client keeps up (`fence`).
 */
export type InitialRequestKind = 'challenge' | 'refresh' | 'fence';

/** How much may wait in a {@link PacedSendQueue}. */
export interface SendQueueLimits {
  readonly frames: number;
  /** Payload bytes. */
  readonly bytes: number;
}

/** The connection that a {@link PacedSendQueue} sends to. */
export interface SendQueueOwner {
  /** Whether a packet that is sent now goes straight to the operating system. */
  readonly isTransportIdle: boolean;
  sendInitialRequest(kind: InitialRequestKind): void;
}

interface QueuedEvent {
  readonly bytes: number;
  send(): void;
}

/** A larger event is encoded only when the transport can take it at once, because that takes time and memory. */
const LARGE_EVENT_BYTES = 65_536;
/** The delay before a busy transport is checked again. It doubles from `min` to `max`. Milliseconds. */
const RETRY_DELAY_MS = { min: 5, max: 160 };

/**
 * Sends all frames to one client, in order, and never more at once than the client can handle. The queue is limited. Answers
 * to initialRequests (`sendInitialRequest`) show that there is room again.
 *
 * Until the identity is proven, only half of the client's window is used and no fence is sent. Only answers to handshakes
 * and one challenge are sent then, and the proof does not need more of them.
 */
export class PacedSendQueue implements Sender {
  readonly #window = new ClientWindow();
  #answers: (() => void)[] = [];
  #events: QueuedEvent[] = [];
  #queuedBytes = 0;
  #isProven = false;
  #isRefreshDue = false;
  #isClosed = false;
  #isSending = false;
  #retryTimer: NodeJS.Timeout | undefined;
  #retryDelayMs = RETRY_DELAY_MS.min;

  /**
   * @param scheduler shared by all queues of a server
   */
  constructor(
    private readonly limits: SendQueueLimits,
    private readonly scheduler: SendScheduler,
    private readonly owner: SendQueueOwner,
  ) {}

  /** Whether the queue waits for its turn, and not for the client. */
  get isWaitingForTurn(): boolean {
    return this.scheduler.isWaiting(this);
  }

  /** Whether the next frame is a large event. */
  get isNextLarge(): boolean {
    return this.#answers.length === 0 && (this.#events[0]?.bytes ?? 0) > LARGE_EVENT_BYTES;
  }

  /** Sends one frame. To be called by the scheduler. @returns whether there may be more to send */
  sendNext(): boolean {
    return this.#trySend(false);
  }

  /** Sends at once as much as the client can handle, without waiting for a turn or for the transport. */
  flushNow(): void {
    while (this.#trySend(true));
    this.scheduler.cancel(this);
  }

  /** The payload bytes of the queued events. */
  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  /** The number of queued events and answers. */
  get queuedFrames(): number {
    return this.#events.length + this.#answers.length;
  }

  /** The number of queued answers to handshakes. */
  get queuedAnswers(): number {
    return this.#answers.length;
  }

  /** Sends the answer to a handshake as soon as there is room. It precedes all events, because the client waits for it. */
  answerHandshake(send: () => void): void {
    this.#answers.push(send);
    this.#flush();
  }

  /**
   * Sends an event as soon as there is room.
   *
   * @param bytes the length of the payload
   * @returns false when the queue is full
   */
  sendEvent(bytes: number, send: () => void): boolean {
    // Events that only wait for a turn do not count against the client, so they are sent first.
    if (!this.#fits(bytes) && this.isWaitingForTurn) while (this.#trySend(false));
    if (!this.#fits(bytes)) return false;
    this.#queuedBytes += bytes;
    this.#events.push({ bytes, send });
    this.#flush();
    return true;
  }

  /** Sends an event before all queued ones. */
  sendFirst(send: () => void): void {
    this.#events.unshift({ bytes: 0, send });
    this.#flush();
  }

  /** Sends a challenge, unless one waits for its answer. To be called only before the identity is proven. */
  challenge(): void {
    if (!this.#window.isFenceOpen) this.#sendInitialRequest('challenge');
  }

  /** Sends a refresh, now or when the open initialRequest is answered. */
  refresh(): void {
    this.#isRefreshDue = true;
    this.#flush();
  }

  /** Uses the whole window, and sends fences, from now on. */
  markProven(): void {
    this.#isProven = true;
    this.#flush();
  }

  /** Records the answer to the open initialRequest. Nothing is sent before `resume`. */
  recordAnswer(): void {
    this.#window.answerFence();
  }

  /** Sends what there is room for. */
  resume(): void {
    this.#flush();
  }

  /** Drops all queued frames, and sends no more. */
  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#retryTimer);
    this.scheduler.cancel(this);
    this.#answers = [];
    this.#events = [];
    this.#queuedBytes = 0;
  }

  #fits(bytes: number): boolean {
    return this.#events.length < this.limits.frames && this.#queuedBytes + bytes <= this.limits.bytes;
  }

  #flush(): void {
    // Sending a frame may queue more frames. The step that is running sends those, too.
    if (!this.#isSending) this.scheduler.run(this);
  }

  #trySend(evenIfBusy: boolean): boolean {
    if (this.#isClosed) return false;
    this.#isSending = true;
    try {
      if (!this.#isInitialRequestDue) return this.#sendNext(evenIfBusy);
      this.#sendInitialRequest(this.#isRefreshDue ? 'refresh' : 'fence');
      return true;
    } finally {
      this.#isSending = false;
    }
  }

  get #isInitialRequestDue(): boolean {
    if (!this.#isProven || this.#window.isFenceOpen) return false;
    return this.#isRefreshDue || this.#window.isFenceDue || (this.queuedFrames > 0 && !this.#window.hasRoom);
  }

  get #hasRoom(): boolean {
    return this.#isProven ? this.#window.hasRoom : this.#window.framesInFlight < MAX_FRAMES_IN_FLIGHT / 2;
  }

  #sendNext(evenIfBusy: boolean): boolean {
    if (!this.#hasRoom) return false;
    const answer = this.#answers.shift();
    if (answer !== undefined) {
      // An emptied array keeps room for seventeen elements.
      if (this.#answers.length === 0) this.#answers = [];
      this.#window.sendFrame();
      answer();
      return true;
    }
    const [event] = this.#events;
    if (event === undefined) return false;
    if (event.bytes > LARGE_EVENT_BYTES && !evenIfBusy && !this.owner.isTransportIdle) {
      this.#scheduleRetry();
      return false;
    }
    this.#retryDelayMs = RETRY_DELAY_MS.min;
    this.#events.shift();
    if (this.#events.length === 0) this.#events = [];
    this.#queuedBytes -= event.bytes;
    this.#window.sendFrame();
    event.send();
    return true;
  }

  #scheduleRetry(): void {
    if (this.#retryTimer !== undefined) return;
    this.#retryTimer = setTimeout(() => {
      this.#retryTimer = undefined;
      this.#retryDelayMs = Math.min(this.#retryDelayMs * 2, RETRY_DELAY_MS.max);
      this.#flush();
    }, this.#retryDelayMs);
  }

  #sendInitialRequest(kind: InitialRequestKind): void {
    if (kind === 'refresh') this.#isRefreshDue = false;
    this.#window.sendFence();
    this.owner.sendInitialRequest(kind);
  }
}
