import type { PushedMessage } from './push-broadcast.js';

/** A live event that waits for older messages. */
export interface HeldEvent {
  readonly namespace: string;
  readonly message: PushedMessage;
  /** The size of the body in UTF-16 units. */
  readonly size: number;
  /** Delivers the event. */
  release(): void;
}

export interface HeldEventsOptions {
  /** Whether older messages of the same sender may be delivered soon. */
  readonly mustWait: (message: PushedMessage) => boolean;
  /** Called when an event is released early because of a limit. */
  readonly onLimitHit: () => void;
  readonly limits?: { readonly events: number; readonly size: number; readonly ms: number };
}

/** The default limits; `docs/limits.md` lists them. The size is in UTF-16 units of bodies. */
export const HELD_EVENT_LIMITS = { events: 10_000, size: 33_554_432, ms: 5_000 } as const;

/**
 * Holds live events back while older messages of their senders are being recovered, so that a sender's messages arrive in
 * order. When there are too many of them, or when it takes too long, all are released in their order.
 */
export class HeldEvents {
  #events: HeldEvent[] = [];
  #size = 0;
  /** Held events of each room and sender. */
  readonly #counts = new Map<string, number>();
  readonly #limits;
  #timer: NodeJS.Timeout | undefined;

  constructor(private readonly options: HeldEventsOptions) {
    this.#limits = options.limits ?? HELD_EVENT_LIMITS;
  }

  /** @returns whether the event is held; otherwise the caller delivers it */
  offer(event: HeldEvent): boolean {
    const key = toSenderKey(event.message);
    if (!this.#counts.has(key) && !this.options.mustWait(event.message)) return false;
    if (this.#events.length >= this.#limits.events || this.#size + event.size > this.#limits.size) {
      this.options.onLimitHit();
      this.releaseAll();
      return false;
    }
    this.#events.push(event);
    this.#size += event.size;
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1);
    if (this.#timer === undefined) {
      this.#timer = setTimeout(() => {
        this.options.onLimitHit();
        this.releaseAll();
      }, this.#limits.ms);
      this.#timer.unref();
    }
    return true;
  }

  /** The number of events that are held. */
  get size(): number {
    return this.#events.length;
  }

  /** Whether an event of this sender in this room is held. */
  isWaitedFor(message: PushedMessage): boolean {
    return this.#counts.has(toSenderKey(message));
  }

  /** Releases the events that need not wait any more. Events of one sender in one room stay in their order. */
  releaseReady(): void {
    const waiting = new Set<string>();
    this.#release(({ message }) => {
      const key = toSenderKey(message);
      if (!waiting.has(key) && !this.options.mustWait(message)) return true;
      waiting.add(key);
      return false;
    });
  }

  /** Releases all events, in their order. */
  releaseAll(): void {
    this.#release(() => true);
  }

  #release(isReady: (event: HeldEvent) => boolean): void {
    const events = this.#events;
    const ready: HeldEvent[] = [];
    this.#events = [];
    this.#size = 0;
    this.#counts.clear();
    for (const event of events) {
      if (isReady(event)) {
        ready.push(event);
        continue;
      }
      const key = toSenderKey(event.message);
      this.#events.push(event);
      this.#size += event.size;
      this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1);
    }
    if (this.#events.length === 0) {
      clearTimeout(this.#timer);
      this.#timer = undefined;
    }
    for (const event of ready) event.release();
  }
}

function toSenderKey({ room, sender }: PushedMessage): string {
  return `${sender} ${room}`;
}
