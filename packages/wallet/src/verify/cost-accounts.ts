/** So long after it was caused, half of a cost still counts. */
const HALF_LIFE_MS = 60_000;
/** What somebody without a good record is taken to have cost already: an unknown source goes behind a known one. */
const NEWCOMER_MS = 250;
/** Sources remembered, with a debt, and with a good record. */
const MAX_REMEMBERED = 10_000;
/** Less is nothing. */
const MIN_DEBT_MS = 1;
/** Work that came to nothing counts this many times, and is never taken for less than this. */
const VAIN_FACTOR = 4;
const MIN_VAIN_MS = 25;
/** A good record ends when it is this old. */
const GOOD_RECORD_MS = 86_400_000;

interface Debt {
  readonly milliseconds: number;
  readonly at: number;
}

/**
 * What each source has cost lately, in milliseconds of CPU that decay. Costs that came to nothing weigh more. A source
 * whose work was of use has a good record for a day: identities are free, so whoever has none is not believed to be new.
 */
export class CostAccounts {
  readonly #debts = new Map<string, Debt>();
  readonly #good = new Map<string, number>();

  /** @param now milliseconds on a clock that does not go back */
  constructor(private readonly now: () => number = () => performance.now()) {}

  charge(source: string, milliseconds: number): void {
    remember(this.#debts, source, { milliseconds: this.#debtOf(source) + milliseconds, at: this.now() });
  }

  /** What was charged before came to nothing: it counts more, and a good record is lost. */
  chargeInVain(source: string, milliseconds: number): void {
    this.charge(source, Math.max(MIN_VAIN_MS, milliseconds) * VAIN_FACTOR - milliseconds);
    this.#good.delete(source);
  }

  /** What was charged before was of use, such as a payment that was taken. */
  commend(source: string): void {
    remember(this.#good, source, this.now());
  }

  /** Who is to be served first: the one of the lowest, in milliseconds. */
  standingOf(source: string): number {
    const good = this.#good.get(source);
    const isGood = good !== undefined && this.now() - good < GOOD_RECORD_MS;
    return this.#debtOf(source) + (isGood ? 0 : NEWCOMER_MS);
  }

  #debtOf(source: string): number {
    const debt = this.#debts.get(source);
    if (debt === undefined) return 0;
    const left = debt.milliseconds * 2 ** ((debt.at - this.now()) / HALF_LIFE_MS);
    return left < MIN_DEBT_MS ? 0 : left;
  }
}

/** The one remembered last is forgotten last. */
function remember<T>(map: Map<string, T>, key: string, value: T): void {
  map.delete(key);
  map.set(key, value);
  const [oldest] = map.keys();
  if (map.size > MAX_REMEMBERED && oldest !== undefined) map.delete(oldest);
}

/** What one piece of work costs its source, charged as it goes on. */
export class Bill {
  #milliseconds = 0;

  constructor(
    private readonly accounts: Pick<CostAccounts, 'charge'>,
    readonly source: string,
  ) {}

  get milliseconds(): number {
    return this.#milliseconds;
  }

  charge(milliseconds: number): void {
    this.#milliseconds += milliseconds;
    this.accounts.charge(this.source, milliseconds);
  }

  /** Charges what `work` takes in this process, also when it throws. */
  timed<T>(work: () => T): T {
    const begun = performance.now();
    try {
      return work();
    } finally {
      this.charge(performance.now() - begun);
    }
  }
}
