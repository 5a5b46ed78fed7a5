import { setTimeout as delay } from 'node:timers/promises';
import { type StorageAmount, StoreUnavailableError } from '@messagebox/store';
import pTimeout from 'p-timeout';
import { QuotaAccount } from './quota-account.js';
import { QuotaExceededError, type QuotaKind, type QuotaLimits } from './quota-limits.js';

/** The storage that a message takes, and whose quotas it counts against. */
export interface StorageCharge {
  readonly recipient: string;
  readonly sender: string;
  /** UTF-8 bytes of the stored body. */
  readonly bytes: number;
  /** Whether the recipient has allowed the sender by name. Then the quota of the pair doesn't apply. */
  readonly isAllowed: boolean;
}

/** Reserved storage. Call either `settle` or `release` once. */
export interface Reservation {
  /**
   * Replaces the reservation by one for these messages, whose size was not known before.
   *
   * @throws {QuotaExceededError} nothing is reserved any more
   */
  replace(charges: readonly StorageCharge[]): Promise<void>;
  /** The messages are stored. */
  settle(): void;
  /** The messages are not stored. */
  release(): void;
}

/** Reads the stored amounts from the messages themselves. See `SqlUsageReader`. */
export interface UsageReader {
  /** @param limit counting may stop above this number of messages */
  readInboxUsage(recipient: string, limit: number): Promise<StorageAmount>;
  readSenderUsage(sender: string, limit: number): Promise<StorageAmount>;
  readPairUsage(recipient: string, sender: string, limit: number): Promise<StorageAmount>;
}

/** The options of {@link StorageQuotas}. */
export interface StorageQuotasOptions {
  readonly limits: QuotaLimits;
  readonly usage: UsageReader;
  /** Called for each refusal. */
  readonly onRefused?: (error: QuotaExceededError) => void;
  /** The time in milliseconds. Default: the monotonic clock of the process. */
  readonly now?: () => number;
  /** Waits this many milliseconds of that clock. Default: a timer. */
  readonly pause?: (ms: number) => Promise<unknown>;
  /** Most accounts in memory. */
  readonly capacity?: number;
  /** How long a send waits for others in flight when little is left, from the first sum on. Then it fails. */
  readonly maxWaitMs?: number;
}

const DEFAULT_CAPACITY = 20_000;
/** A quota that was exceeded is read again after this time at the earliest. */
const REFUSAL_RETRY_AFTER_MS = 1_000;
const DEFAULT_MAX_WAIT_MS = 3_000;

interface Demand {
  readonly account: QuotaAccount;
  readonly kind: QuotaKind;
  readonly recipient: string | undefined;
  readonly read: () => Promise<StorageAmount>;
  messages: number;
  bytes: number;
}

/**
 * Limits the stored amount by recipient, by sender and by pair. The amounts are read from the messages. No counters are
 * stored, so a crash can't leave them wrong. Each process remembers the last read of a quota, and how much it may admit
 * before the next read, so that most sends need only a look into a map.
 */
export class StorageQuotas {
  readonly #accounts = new Map<string, QuotaAccount>();
  readonly #now: () => number;
  readonly #pause: (ms: number) => Promise<unknown>;

  constructor(private readonly options: StorageQuotasOptions) {
    this.#now = options.now ?? (() => performance.now());
    this.#pause = options.pause ?? delay;
  }

  /**
   * Reserves storage for all of these messages, or for none.
   *
   * @throws {QuotaExceededError} for the first quota that they would exceed
   * @throws {StoreUnavailableError} when the use can't be read, or when sends in flight take too long
   */
  async reserve(charges: readonly StorageCharge[]): Promise<Reservation> {
    let reserved = await this.#admit(charges);
    const end = (how: 'settle' | 'release') => {
      for (const { account, messages, bytes } of reserved) account[how]({ messages, bytes });
      reserved = [];
    };
    return {
      replace: async (others) => {
        // First, because it would wait for itself when little is left.
        end('release');
        reserved = await this.#admit(others);
      },
      settle: () => end('settle'),
      release: () => end('release'),
    };
  }

  /** Call this after messages of the recipient were deleted, so that an earlier refusal is not repeated from memory. */
  noteFreed(recipient: string): void {
    this.#accounts.get(toInboxKey(recipient))?.invalidateRead();
  }

  /** Call this when a request was refused with this error. */
  noteRefused(error: QuotaExceededError): void {
    this.options.onRefused?.(error);
  }

  /**
   * A quota whose use is not known is read, however long that takes; nothing is refused before. What was unsure once is read in
   * each later round as well, so there are no more rounds than quotas until all are known at the same time. The wait for sends
   * in flight, which has a limit, begins when a sum shows that little is left.
   */
  async #admit(charges: readonly StorageCharge[]): Promise<Demand[]> {
    const demands = this.#collectDemands(charges);
    const unsure = new Set<Demand>();
    let deadline: number | undefined;
    while (!demands.every((demand) => demand.account.fits(demand))) {
      for (const demand of demands) if (!demand.account.fits(demand)) unsure.add(demand);
      const isRead = await this.#read([...unsure]);
      // Others may have been admitted during the read. From here to the reservation no other code runs.
      const lacking = demands.filter((demand) => !demand.account.fits(demand));
      if (!isRead || lacking.some((demand) => !unsure.has(demand))) continue;
      const scarce = lacking.find((demand) => !demand.account.fitsAfterRead(demand));
      if (scarce === undefined) break;
      deadline ??= this.#now() + (this.options.maxWaitMs ?? DEFAULT_MAX_WAIT_MS);
      await this.#waitForOthers(scarce, deadline);
    }
    for (const { account, messages, bytes } of demands) account.reserve({ messages, bytes });
    return demands;
  }

  /**
   * Waits until a send in flight has ended.
   *
   * @throws {QuotaExceededError} after the deadline, when the sends in flight may use up the quota
   * @throws {StoreUnavailableError} after the deadline, when there is room for all: then the database is slow
   */
  async #waitForOthers(demand: Demand, deadline: number): Promise<void> {
    const { account } = demand;
    const left = deadline - this.#now();
    if (left > 0) {
      await pTimeout(account.waitForRelease(), { milliseconds: left }).catch(() => undefined);
      return;
    }
    const resource = account.findScarce(demand);
    if (resource !== undefined) throw quotaExceededError(demand, resource);
    throw new StoreUnavailableError(new Error('Sends that were admitted to the same quota take too long.'));
  }

  /**
   * Reads the use of these quotas, or waits until a read is allowed.
   *
   * @returns whether the use was read
   * @throws {QuotaExceededError} when the rows show that one of the quotas is exceeded
   */
  async #read(demands: readonly Demand[]): Promise<boolean> {
    this.#assertNoneExceeded(
      demands.filter(({ account }) => account.wasReadSince(this.#now() - REFUSAL_RETRY_AFTER_MS)),
    );
    const pause = Math.max(0, ...demands.map(({ account }) => account.msUntilRead(this.#now())));
    if (pause > 0) {
      await this.#pause(pause);
      return false;
    }
    await Promise.all(demands.map(({ account, read }) => account.refresh(read, this.#now)));
    this.#assertNoneExceeded(demands);
    return true;
  }

  #assertNoneExceeded(demands: readonly Demand[]): void {
    for (const demand of demands) {
      const resource = demand.account.findExceeded(demand);
      if (resource !== undefined) throw quotaExceededError(demand, resource);
    }
  }

  #collectDemands(charges: readonly StorageCharge[]): Demand[] {
    const { limits, usage } = this.options;
    const demands = new Map<string, Demand>();
    const add = (key: string, kind: QuotaKind, recipient: string | undefined, bytes: number, read: Demand['read']) => {
      const { messages: maxMessages, bytes: maxBytes } = limits[kind];
      if (maxMessages === Number.POSITIVE_INFINITY && maxBytes === Number.POSITIVE_INFINITY) return;
      const demand = demands.get(key);
      if (demand === undefined) {
        demands.set(key, { account: this.#getAccount(key, kind), kind, recipient, read, messages: 1, bytes });
        return;
      }
      demand.messages += 1;
      demand.bytes += bytes;
    };
    for (const { recipient, sender, bytes, isAllowed } of charges) {
      add(toInboxKey(recipient), 'inbox', recipient, bytes, () =>
        usage.readInboxUsage(recipient, limits.inbox.messages),
      );
      add(`s${sender}`, 'sender', undefined, bytes, () => usage.readSenderUsage(sender, limits.sender.messages));
      if (isAllowed || recipient === sender) continue;
      const read = () => usage.readPairUsage(recipient, sender, limits.pair.messages);
      add(`p${recipient}${sender}`, 'pair', recipient, bytes, read);
    }
    return [...demands.values()];
  }

  #getAccount(key: string, kind: QuotaKind): QuotaAccount {
    const known = this.#accounts.get(key);
    if (known !== undefined) {
      this.#accounts.delete(key);
      this.#accounts.set(key, known);
      return known;
    }
    const made = new QuotaAccount(this.options.limits[kind]);
    this.#accounts.set(key, made);
    this.#evictOldest();
    return made;
  }

  /** Evicts the least recently used account. A busy one is moved to the end instead, and checked again later. */
  #evictOldest(): void {
    if (this.#accounts.size <= (this.options.capacity ?? DEFAULT_CAPACITY)) return;
    const [oldest] = this.#accounts;
    if (oldest === undefined) return;
    const [key, account] = oldest;
    this.#accounts.delete(key);
    if (account.isBusy) this.#accounts.set(key, account);
  }
}

function toInboxKey(recipient: string): string {
  return `i${recipient}`;
}

function quotaExceededError({ kind, recipient, account }: Demand, resource: keyof StorageAmount): QuotaExceededError {
  return new QuotaExceededError(kind, resource, account.limit[resource], recipient);
}
