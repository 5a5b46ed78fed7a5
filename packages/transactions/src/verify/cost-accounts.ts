/** After this time, half of a cost still counts. */
const HALF_LIFE_MS = 60_000;
/** Added to the cost of a source without a good record, so that unknown sources go behind known ones. */
const NEWCOMER_PENALTY_MS = 250;
/** Sources with a debt that are remembered, and the same for sources with a good record. */
const MAX_SOURCES = 10_000;
/** A smaller debt counts as none. */
const MIN_DEBT_MS = 1;
/** Wasted work is counted several times, and as a minimum of milliseconds. */
const WASTED_FACTOR = 4;
const MIN_WASTED_MS = 25;
/** Age at which a good record expires. */
const GOOD_RECORD_TTL_MS = 86_400_000;

interface Debt {
  readonly milliseconds: number;
  readonly at: number;
}

/**
 * The recent cost of each source in milliseconds of CPU, which decay. Wasted work counts more. A source whose work was
 * useful has a good record for a day. Identities are free, so a source without a record gets no credit for being new.
 */
export class CostAccounts {
  readonly #debts = new Map<string, Debt>();
  readonly #good = new Map<string, number>();

  /** @param now milliseconds of a monotonic clock */
  constructor(private readonly now: () => number = () => performance.now()) {}

  /** Adds a cost. */
  charge(source: string, milliseconds: number): void {
    setMostRecent(this.#debts, source, { milliseconds: this.#getDebt(source) + milliseconds, at: this.now() });
  }

  /** Marks a cost that was charged before as wasted: it counts more, and the good record is lost. */
  chargeWasted(source: string, milliseconds: number): void {
    this.charge(source, Math.max(MIN_WASTED_MS, milliseconds) * WASTED_FACTOR - milliseconds);
    this.#good.delete(source);
  }

  /** Gives a good record for useful work, such as a payment that was received. */
  recordUseful(source: string): void {
    setMostRecent(this.#good, source, this.now());
  }

  /** @returns milliseconds; the source with the lowest standing is served first */
  getStanding(source: string): number {
    const good = this.#good.get(source);
    const isGood = good !== undefined && this.now() - good < GOOD_RECORD_TTL_MS;
    return this.#getDebt(source) + (isGood ? 0 : NEWCOMER_PENALTY_MS);
  }

  #getDebt(source: string): number {
    const debt = this.#debts.get(source);
    if (debt === undefined) return 0;
    const left = debt.milliseconds * 2 ** ((debt.at - this.now()) / HALF_LIFE_MS);
    return left < MIN_DEBT_MS ? 0 : left;
  }
}

/** Sets a value as the most recent one, and evicts the oldest beyond {@link MAX_SOURCES}. */
function setMostRecent<T>(map: Map<string, T>, key: string, value: T): void {
  map.delete(key);
  map.set(key, value);
  const [oldest] = map.keys();
  if (map.size > MAX_SOURCES && oldest !== undefined) map.delete(oldest);
}

/** Measures one piece of work and charges its source as the work proceeds. */
export class CostMeter {
  #milliseconds = 0;

  constructor(
    private readonly accounts: Pick<CostAccounts, 'charge'>,
    readonly source: string,
  ) {}

  get milliseconds(): number {
    return this.#milliseconds;
  }

  /** Adds a cost that was measured elsewhere. */
  charge(milliseconds: number): void {
    this.#milliseconds += milliseconds;
    this.accounts.charge(this.source, milliseconds);
  }

  /** Charges the time that `work` takes, also when it throws. */
  measure<T>(work: () => T): T {
    const begun = performance.now();
    try {
      return work();
    } finally {
      this.charge(performance.now() - begun);
    }
  }
}
