/** A period in which this instance may have missed room events. It begins at `since` and ends when the gap is reported. */
export interface RoomEventGap {
  /** The last time at which events are known to have arrived, in milliseconds since 1970, by the clock of this process. */
  readonly since: number;
  readonly reason: 'connection_lost' | 'connection_silent' | 'subscription_renewed' | 'publisher_failed';
}

export type RoomEventGapListener = (gap: RoomEventGap) => void;

/** Reports gaps to all listeners. A listener must not throw. */
export class RoomEventGaps {
  readonly #listeners = new Set<RoomEventGapListener>();

  /** @returns removes the listener */
  onGap(listener: RoomEventGapListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  report(gap: RoomEventGap): void {
    for (const listener of this.#listeners) listener(gap);
  }
}
