import { type Outpoint, outpointKey } from '@messagebox/wallet';

/** So long after the first time, what was refused and may be valid later is asked for. */
const AGAIN_MS = 86_400_000;
/** For more of one peer and topic that is not done. */
const MOST_OUTPUTS = 1_000;
const MOST_TOPICS = 1_000;

/**
 * What did not come in of one peer and topic. In the next run it is asked for behind the others, so that it keeps none
 * of them out; and what was refused and may be valid later is asked for again, but not for ever.
 */
export class TopicRefusals {
  #before: ReadonlyMap<string, number> = new Map();
  #first = new Map<string, number>();
  #behind: ReadonlySet<string> = new Set();
  #behindNext = new Set<string>();

  constructor(private readonly now: () => number) {}

  /** Begins a run. What has been neither refused nor put behind in the last one is forgotten. */
  begin(): void {
    this.#before = this.#first;
    this.#first = new Map();
    this.#behind = this.#behindNext;
    this.#behindNext = new Set();
  }

  /** For the next run. */
  putBehind(output: Outpoint): void {
    if (this.#behindNext.size < MOST_OUTPUTS) this.#behindNext.add(outpointKey(output));
  }

  /** Whether the last run has put it behind the others. */
  isBehind(output: Outpoint): boolean {
    return this.#behind.has(outpointKey(output));
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
