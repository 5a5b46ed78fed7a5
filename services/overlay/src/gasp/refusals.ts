import { type Outpoint, outpointKey } from '@messagebox/wallet';

/** So long after the first time, what was refused and may be valid later is asked for. */
const AGAIN_MS = 86_400_000;
/** For more of one peer and topic that is not done. */
const MOST_OUTPUTS = 1_000;
const MOST_TOPICS = 1_000;

/** What was refused of one peer and topic, and may be valid later: it is asked for again, and not for ever. */
export class TopicRefusals {
  #before: ReadonlyMap<string, number> = new Map();
  #first = new Map<string, number>();

  constructor(private readonly now: () => number) {}

  /** Begins a run. What has not been refused in the last one is forgotten. */
  begin(): void {
    this.#before = this.#first;
    this.#first = new Map();
  }

  /** Of one that was refused just now. */
  isToBeAskedForAgain(output: Outpoint): boolean {
    if (this.#first.size >= MOST_OUTPUTS) return false;
    const key = outpointKey(output);
    const first = this.#before.get(key) ?? this.now();
    this.#first.set(key, first);
    return this.now() - first < AGAIN_MS;
  }
}

/** Of all peers. In memory only: after a restart the time begins anew. */
export class Refusals {
  readonly #topics = new Map<string, TopicRefusals>();

  constructor(private readonly now: () => number = Date.now) {}

  /** @returns those of a peer and topic, for a run that begins */
  of(key: string): TopicRefusals {
    const refusals = this.#topics.get(key) ?? new TopicRefusals(this.now);
    // The peer that was asked last is forgotten last.
    this.#topics.delete(key);
    this.#topics.set(key, refusals);
    const [oldest] = this.#topics.keys();
    if (this.#topics.size > MOST_TOPICS && oldest !== undefined) this.#topics.delete(oldest);
    refusals.begin();
    return refusals;
  }
}
