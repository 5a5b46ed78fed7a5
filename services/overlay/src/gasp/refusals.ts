import { type Outpoint, toOutpointKey } from '@messagebox/transactions';

/** The time after the first refusal in which a refused output is fetched again. */
const RETRY_WINDOW_MS = 86_400_000;
/** Outputs that are remembered for one peer and topic. */
const MAX_RETRIED_OUTPUTS = 1_000;
const MAX_PEER_TOPICS = 1_000;

/**
 * The outputs of one peer and topic that could not be admitted. The next run fetches them after all others, so that they
 * delay none. Refused outputs that can become valid are fetched again, for a limited time.
 */
export class TopicRefusals {
  /** The time of the first refusal of each output, as of the last run. */
  #before: ReadonlyMap<string, number> = new Map();
  #first = new Map<string, number>();
  #deprioritized: ReadonlySet<string> = new Set();
  #deprioritizedNext = new Set<string>();

  constructor(private readonly now: () => number) {}

  /** Begins a run. Forgets outputs that the last run has neither refused nor deprioritized. */
  begin(): void {
    this.#before = this.#first;
    this.#first = new Map();
    this.#deprioritized = this.#deprioritizedNext;
    this.#deprioritizedNext = new Set();
  }

  /** Moves an output behind the others in the next run. */
  deprioritize(output: Outpoint): void {
    if (this.#deprioritizedNext.size < MAX_RETRIED_OUTPUTS) this.#deprioritizedNext.add(toOutpointKey(output));
  }

  /** Whether the last run has moved the output behind the others. */
  isDeprioritized(output: Outpoint): boolean {
    return this.#deprioritized.has(toOutpointKey(output));
  }

  /** Records a refusal. @returns whether the output is to be fetched again */
  shouldRetry(output: Outpoint): boolean {
    if (this.#first.size >= MAX_RETRIED_OUTPUTS) return false;
    const key = toOutpointKey(output);
    const first = this.#before.get(key) ?? this.now();
    this.#first.set(key, first);
    return this.now() - first < RETRY_WINDOW_MS;
  }
}

/** The refusals of all peers. They are in memory only, so the time for retries starts again with the process. */
export class Refusals {
  readonly #topics = new Map<string, TopicRefusals>();

  constructor(private readonly now: () => number = Date.now) {}

  /** Begins a run with a peer and topic. @returns their refusals */
  beginRun(key: string): TopicRefusals {
    const refusals = this.#topics.get(key) ?? new TopicRefusals(this.now);
    // The least recently used peer is forgotten first.
    this.#topics.delete(key);
    this.#topics.set(key, refusals);
    const [oldest] = this.#topics.keys();
    if (this.#topics.size > MAX_PEER_TOPICS && oldest !== undefined) this.#topics.delete(oldest);
    refusals.begin();
    return refusals;
  }
}
