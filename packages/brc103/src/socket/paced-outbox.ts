import { ClientWindow, MAX_FRAMES_AT_CLIENT } from './client-window.js';
import type { SendTurns } from './send-turns.js';

/**
 * The purpose of an initialRequest of ours: to prove that a client which came back is itself, to renew the session that
 * signs, or only to learn that the client keeps up.
 */
export type QuestionKind = 'challenge' | 'refresh' | 'fence';

export interface OutboxLimits {
  readonly frames: number;
  /** Payload bytes. */
  readonly bytes: number;
}

interface WaitingEvent {
  readonly bytes: number;
  send(): void;
}

/** A larger event is made only when the transport can take it at once: it is long to encode, and much to keep. */
const LARGE_EVENT_BYTES = 65_536;
/** How soon a transport that is still busy is looked at again, at first and at last. Milliseconds. */
const LOOK_AGAIN_MS = { first: 5, last: 160 };

/**
 * Everything that a client is sent and has to work on, in order and never more at once than it bears. What has to wait is
 * bounded; `ask` is called to send an initialRequest, and its answer makes room again.
 *
 * Until the client's identity is proven, half of what a client bears is used and no fence is sent: only answers to
 * handshakes and one challenge go out then, and the proof does not depend on more of them.
 */
export class PacedOutbox {
  readonly #window = new ClientWindow();
  readonly #answers: (() => void)[] = [];
  readonly #events: WaitingEvent[] = [];
  #waitingBytes = 0;
  #isProven = false;
  #isRefreshDue = false;
  #isClosed = false;
  #isSending = false;
  readonly #step = () => this.#sendSomething();
  #lookAgain: NodeJS.Timeout | undefined;
  #lookAgainMs = LOOK_AGAIN_MS.first;

  /**
   * @param turns shared by all outboxes of a server
   * @param isTransportIdle whether what is sent now goes straight to the operating system
   */
  constructor(
    private readonly limits: OutboxLimits,
    private readonly turns: SendTurns,
    private readonly ask: (kind: QuestionKind) => void,
    private readonly isTransportIdle: () => boolean = () => true,
  ) {}

  /** Whether something only waits for its turn, and not for the client. */
  get isWaitingForTurn(): boolean {
    return this.turns.isWaiting(this.#step);
  }

  /** Sends at once what the client bears, whosever turn it is and however busy the transport. */
  flushNow(): void {
    while (this.#sendSomething(true));
    this.turns.cancel(this.#step);
  }

  /** Payload bytes that wait. */
  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  /** Frames that wait. */
  get waitingFrames(): number {
    return this.#events.length + this.#answers.length;
  }

  /** Answers to handshakes that wait. */
  get waitingAnswers(): number {
    return this.#answers.length;
  }

  /** Sends the answer to a handshake as soon as there is room, before any event: the client waits for it. */
  answerHandshake(send: () => void): void {
    this.#answers.push(send);
    this.#flush();
  }

  /**
   * Sends an event as soon as there is room.
   *
   * @returns false when too much waits already
   */
  sendEvent(bytes: number, send: () => void): boolean {
    // The client is not to blame for what only waits for a turn.
    if (!this.#fits(bytes) && this.isWaitingForTurn) while (this.#sendSomething());
    if (!this.#fits(bytes)) return false;
    this.#waitingBytes += bytes;
    this.#events.push({ bytes, send });
    this.#flush();
    return true;
  }

  /** Sends an event before all that wait. */
  sendFirst(send: () => void): void {
    this.#events.unshift({ bytes: 0, send });
    this.#flush();
  }

  /** Asks a client that came back to prove itself. Only once, and before it has. */
  challenge(): void {
    if (!this.#window.isFenceOpen) this.#askNow('challenge');
  }

  /** Asks for a new session, now or when the open question is answered. */
  refresh(): void {
    this.#isRefreshDue = true;
    this.#flush();
  }

  /** The client is known from now on. */
  prove(): void {
    this.#isProven = true;
    this.#flush();
  }

  /** The open initialRequest was answered. Room is made, but nothing is sent before `resume`. */
  answered(): void {
    this.#window.answerFence();
  }

  resume(): void {
    this.#flush();
  }

  /** Drops what waits: the connection has ended. */
  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#lookAgain);
    this.turns.cancel(this.#step);
    this.#answers.length = 0;
    this.#events.length = 0;
    this.#waitingBytes = 0;
  }

  #fits(bytes: number): boolean {
    return this.#events.length < this.limits.frames && this.#waitingBytes + bytes <= this.limits.bytes;
  }

  #flush(): void {
    // Sending a frame may cause more to be sent: the step that is running goes on with it.
    if (!this.#isSending) this.turns.run(this.#step);
  }

  /** @returns whether there may be more to send */
  #sendSomething(evenIfBusy = false): boolean {
    if (this.#isClosed) return false;
    this.#isSending = true;
    try {
      if (!this.#isQuestionDue) return this.#sendNext(evenIfBusy);
      this.#askNow(this.#isRefreshDue ? 'refresh' : 'fence');
      return true;
    } finally {
      this.#isSending = false;
    }
  }

  get #isQuestionDue(): boolean {
    if (!this.#isProven || this.#window.isFenceOpen) return false;
    return this.#isRefreshDue || this.#window.isFenceDue || (this.waitingFrames > 0 && !this.#window.hasRoom);
  }

  get #hasRoom(): boolean {
    return this.#isProven ? this.#window.hasRoom : this.#window.inWork < MAX_FRAMES_AT_CLIENT / 2;
  }

  #sendNext(evenIfBusy: boolean): boolean {
    if (!this.#hasRoom) return false;
    const answer = this.#answers.shift();
    if (answer !== undefined) {
      this.#window.sendFrame();
      answer();
      return true;
    }
    const [event] = this.#events;
    if (event === undefined) return false;
    if (event.bytes > LARGE_EVENT_BYTES && !evenIfBusy && !this.isTransportIdle()) {
      this.#lookAgainLater();
      return false;
    }
    this.#lookAgainMs = LOOK_AGAIN_MS.first;
    this.#events.shift();
    this.#waitingBytes -= event.bytes;
    this.#window.sendFrame();
    event.send();
    return true;
  }

  #lookAgainLater(): void {
    if (this.#lookAgain !== undefined) return;
    this.#lookAgain = setTimeout(() => {
      this.#lookAgain = undefined;
      this.#lookAgainMs = Math.min(this.#lookAgainMs * 2, LOOK_AGAIN_MS.last);
      this.#flush();
    }, this.#lookAgainMs);
  }

  #askNow(kind: QuestionKind): void {
    if (kind === 'refresh') this.#isRefreshDue = false;
    this.#window.sendFence();
    this.ask(kind);
  }
}
