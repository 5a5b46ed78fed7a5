import { setImmediate, setTimeout } from 'node:timers/promises';

/** How long events are sent in one turn of the event loop. */
const TIME_SLICE_MS = 2;
/** Large events are sent first after so many turns in which small ones took the whole slice. */
const MAX_TURNS_WITHOUT_LARGE = 8;

/** The pause after a large event, in units of the time that it took. Three leave three quarters of the time to others. */
const LARGE_PAUSE_FACTOR = 3;

/** Something that sends frames one by one. */
export interface Sender {
  /** Whether the next frame is large, which takes several milliseconds. */
  readonly isNextLarge: boolean;
  /** Sends the next frame. @returns whether there may be more to send */
  sendNext(): boolean;
}

/**
 * Spreads sending over turns of the event loop. An event for many sockets, or many events for one, are signed in time slices,
 * with input and timers in between. Waiting senders take turns.
 *
 * A large event takes longer than a slice by itself. So it waits for the small ones, and after it no other large one is sent
 * for three times as long as it took.
 */
export class SendScheduler {
  readonly #small = new Set<Sender>();
  readonly #large = new Set<Sender>();
  #usedMs = 0;
  #turnsWithoutLarge = 0;
  #nextTurn: Promise<void> | undefined;
  #pauseEnd: Promise<void> | undefined;

  /**
   * @param now returns milliseconds of a monotonic clock
   * @param pause resolves after so many milliseconds. Default: a timer
   */
  constructor(
    private readonly now: () => number = () => performance.now(),
    private readonly pause: (ms: number) => Promise<void> = waitFor,
  ) {}

  /** Sends until `sendNext` returns false: now while there is time in this turn, and then in later turns. */
  run(sender: Sender): void {
    if (this.isWaiting(sender)) return;
    while (this.#mayRunNow(sender)) {
      if (!this.#runStep(sender)) return;
    }
    this.#add(sender);
  }

  /** Whether a sender waits for its next turn. */
  isWaiting(sender: Sender): boolean {
    return this.#small.has(sender) || this.#large.has(sender);
  }

  /** Does not call `sendNext` any more. @returns whether the sender was waiting */
  cancel(sender: Sender): boolean {
    return this.#small.delete(sender) || this.#large.delete(sender);
  }

  /** Resolves when waiting senders have had their next turn. */
  async waitForTurn(): Promise<void> {
    await (this.#nextTurn ?? this.#pauseEnd ?? setImmediate());
  }

  #mayRunNow(sender: Sender): boolean {
    if (this.#usedMs >= TIME_SLICE_MS || this.#small.size > 0) return false;
    return !sender.isNextLarge || (this.#large.size === 0 && this.#pauseEnd === undefined);
  }

  #add(sender: Sender): void {
    (sender.isNextLarge ? this.#large : this.#small).add(sender);
    this.#scheduleTurn();
  }

  #runStep(sender: Sender): boolean {
    const isLarge = sender.isNextLarge;
    const start = this.now();
    try {
      return sender.sendNext();
    } finally {
      const ms = this.now() - start;
      this.#usedMs += ms;
      if (isLarge && ms > TIME_SLICE_MS) this.#pauseEnd = this.#pauseLarge(ms);
      this.#scheduleTurn();
    }
  }

  async #pauseLarge(ms: number): Promise<void> {
    await this.pause(ms * LARGE_PAUSE_FACTOR);
    this.#pauseEnd = undefined;
    if (this.#large.size > 0) this.#scheduleTurn();
  }

  #scheduleTurn(): void {
    this.#nextTurn ??= this.#runTurn();
  }

  async #runTurn(): Promise<void> {
    await setImmediate();
    this.#nextTurn = undefined;
    this.#usedMs = 0;
    this.#runWaiting();
  }

  #runWaiting(): void {
    while (this.#usedMs < TIME_SLICE_MS) {
      const sender = this.#findNext();
      if (sender === undefined) break;
      const isMore = this.#runStep(sender);
      // The sender goes to the end of its queue, unless it was cancelled meanwhile.
      if (this.cancel(sender) && isMore) this.#add(sender);
    }
    const mayLargeRun = this.#large.size > 0 && this.#pauseEnd === undefined;
    this.#turnsWithoutLarge = mayLargeRun ? this.#turnsWithoutLarge + 1 : 0;
    if (this.#small.size > 0 || mayLargeRun) this.#scheduleTurn();
  }

  #findNext(): Sender | undefined {
    const [small] = this.#small;
    const [large] = this.#pauseEnd === undefined ? this.#large : [];
    return this.#turnsWithoutLarge >= MAX_TURNS_WITHOUT_LARGE ? (large ?? small) : (small ?? large);
  }
}

async function waitFor(ms: number): Promise<void> {
  await setTimeout(ms);
}
