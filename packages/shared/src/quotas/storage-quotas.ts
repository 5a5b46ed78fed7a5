import { setTimeout as delay } from 'node:timers/promises';
import { within } from '../limits/within.js';
import { QuotaAccount } from './quota-account.js';
import { type Amount, QuotaExceededError, type QuotaKind, type QuotaLimits } from './quota-limits.js';

/** A message that is to be stored. */
export interface StorageCharge {
  readonly recipient: string;
  readonly sender: string;
  /** Bytes of UTF-8 of its body as it is stored. */
  readonly bytes: number;
  /** Whether the recipient has allowed the sender by name: then the pair has no quota of its own. */
  readonly isAllowed: boolean;
}

/** Room for messages. One of `settle` and `release` is to be called once. */
export interface Reservation {
  /**
   * Exchanges it for room for these: their size was not known before.
   *
   * @throws {QuotaExceededError} nothing is reserved any more
   */
  replace(charges: readonly StorageCharge[]): Promise<void>;
  /** The messages are stored. */
  settle(): void;
  /** The messages are not stored. */
  release(): void;
}

/** What is stored of whom, read from the messages themselves. See `StoredUsage`. */
export interface UsageReader {
  /** @param limit counting may stop above so many messages */
  inbox(recipient: string, limit: number): Promise<Amount>;
  sender(sender: string, limit: number): Promise<Amount>;
  pair(recipient: string, sender: string, limit: number): Promise<Amount>;
}

export interface StorageQuotasParts {
  readonly limits: QuotaLimits;
  readonly usage: UsageReader;
  /** Told of each refusal. */
  readonly onRefused?: (error: QuotaExceededError) => void;
  /** Milliseconds. Default: the process's own clock. */
  readonly now?: () => number;
  /** Waits so many milliseconds of that clock. Default: a timer. */
  readonly pause?: (ms: number) => Promise<unknown>;
  /** Accounts that are remembered. */
  readonly capacity?: number;
  /** How long a send waits, where little is left, for others that are under way; then it is refused. */
  readonly maxWaitMs?: number;
}

const DEFAULT_CAPACITY = 20_000;
/** A quota that was found used up is read again after so long at the earliest. */
const REFUSAL_MS = 1_000;
const DEFAULT_MAX_WAIT_MS = 3_000;

interface Demand {
  readonly account: QuotaAccount;
  readonly kind: QuotaKind;
  readonly recipient: string | undefined;
  readonly read: () => Promise<Amount>;
  messages: number;
  bytes: number;
}

/**
 * Bounds what is stored by recipient, by sender and by pair. The rows are the only truth: nothing is counted in the
 * database, so there is nothing that a crash could leave wrong. Each process remembers what it has read of a quota and
 * how much it may admit before it reads again, so that most sends cost a look into a map.
 */
export class StorageQuotas {
  readonly #accounts = new Map<string, QuotaAccount>();
  readonly #now: () => number;
  readonly #pause: (ms: number) => Promise<unknown>;

  constructor(private readonly parts: StorageQuotasParts) {
    this.#now = parts.now ?? (() => performance.now());
    this.#pause = parts.pause ?? delay;
  }

  /**
   * Reserves room for all of these messages, or for none.
   *
   * @throws {QuotaExceededError} for the first quota that they would exceed
   * @throws {StoreUnavailableError} when the use can't be read
   */
  async reserve(charges: readonly StorageCharge[]): Promise<Reservation> {
    let reserved = await this.#admit(charges);
    const end = (how: 'settle' | 'release') => {
      for (const { account, messages, bytes } of reserved) account[how]({ messages, bytes });
      reserved = [];
    };
    return {
      replace: async (others) => {
        // It would wait for itself otherwise, where little is left.
        end('release');
        reserved = await this.#admit(others);
      },
      settle: () => end('settle'),
      release: () => end('release'),
    };
  }

  /** Messages of this recipient were deleted: a refusal of before is not remembered any more. */
  freed(recipient: string): void {
    this.#accounts.get(inboxKey(recipient))?.forgetRead();
  }

  /** A request was refused by this. */
  refused(error: QuotaExceededError): void {
    this.parts.onRefused?.(error);
  }

  async #admit(charges: readonly StorageCharge[]): Promise<Demand[]> {
    const demands = this.#demandsOf(charges);
    const deadline = this.#now() + (this.parts.maxWaitMs ?? DEFAULT_MAX_WAIT_MS);
    for (;;) {
      const unsure = demands.filter((demand) => !demand.account.fits(demand));
      if (unsure.length === 0) break;
      const isRead = await this.#read(unsure);
      const read = new Set(isRead ? unsure : []);
      // Others may have been admitted while this one was reading; from here to the reservation nobody else runs.
      const lacking = demands.find(
        (demand) => !(demand.account.fits(demand) || (read.has(demand) && demand.account.fitsAfterRead(demand))),
      );
      if (lacking === undefined) break;
      const left = deadline - this.#now();
      if (left <= 0) throw exceeded(lacking, lacking.account.scarcer(lacking));
      if (isRead) await within(left, lacking.account.ended()).catch(() => undefined);
    }
    for (const { account, messages, bytes } of demands) account.reserve({ messages, bytes });
    return demands;
  }

  /**
   * Reads what these need to know, or waits until it may be read.
   *
   * @returns whether it was read just now
   * @throws {QuotaExceededError} when there is no room for one of them by the rows
   */
  async #read(demands: readonly Demand[]): Promise<boolean> {
    this.#refuseExceeded(demands.filter(({ account }) => account.wasReadSince(this.#now() - REFUSAL_MS)));
    const pause = Math.max(0, ...demands.map(({ account }) => account.pauseBeforeRead(this.#now())));
    if (pause > 0) {
      await this.#pause(pause);
      return false;
    }
    await Promise.all(demands.map(({ account, read }) => account.refresh(read, this.#now)));
    this.#refuseExceeded(demands);
    return true;
  }

  #refuseExceeded(demands: readonly Demand[]): void {
    for (const demand of demands) {
      const resource = demand.account.exceededBy(demand);
      if (resource !== undefined) throw exceeded(demand, resource);
    }
  }

  #demandsOf(charges: readonly StorageCharge[]): Demand[] {
    const { limits, usage } = this.parts;
    const demands = new Map<string, Demand>();
    const add = (key: string, kind: QuotaKind, recipient: string | undefined, bytes: number, read: Demand['read']) => {
      const { messages: maxMessages, bytes: maxBytes } = limits[kind];
      if (maxMessages === Number.POSITIVE_INFINITY && maxBytes === Number.POSITIVE_INFINITY) return;
      const demand = demands.get(key);
      if (demand === undefined) {
        demands.set(key, { account: this.#account(key, kind), kind, recipient, read, messages: 1, bytes });
        return;
      }
      demand.messages += 1;
      demand.bytes += bytes;
    };
    for (const { recipient, sender, bytes, isAllowed } of charges) {
      add(inboxKey(recipient), 'inbox', recipient, bytes, () => usage.inbox(recipient, limits.inbox.messages));
      add(`s${sender}`, 'sender', undefined, bytes, () => usage.sender(sender, limits.sender.messages));
      if (isAllowed || recipient === sender) continue;
      const read = () => usage.pair(recipient, sender, limits.pair.messages);
      add(`p${recipient}${sender}`, 'pair', recipient, bytes, read);
    }
    return [...demands.values()];
  }

  #account(key: string, kind: QuotaKind): QuotaAccount {
    const known = this.#accounts.get(key);
    if (known !== undefined) {
      this.#accounts.delete(key);
      this.#accounts.set(key, known);
      return known;
    }
    const made = new QuotaAccount(this.parts.limits[kind]);
    this.#accounts.set(key, made);
    this.#forgetOldest();
    return made;
  }

  /** The least recently used one goes, unless it is in use: then it is looked at again later. */
  #forgetOldest(): void {
    if (this.#accounts.size <= (this.parts.capacity ?? DEFAULT_CAPACITY)) return;
    const [oldest] = this.#accounts;
    if (oldest === undefined) return;
    const [key, account] = oldest;
    this.#accounts.delete(key);
    if (account.isBusy) this.#accounts.set(key, account);
  }
}

function inboxKey(recipient: string): string {
  return `i${recipient}`;
}

function exceeded({ kind, recipient, account }: Demand, resource: keyof Amount): QuotaExceededError {
  return new QuotaExceededError(kind, resource, account.limit[resource], recipient);
}
