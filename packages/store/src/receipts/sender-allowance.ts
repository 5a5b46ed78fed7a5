import { LRUCache } from 'lru-cache';

/** Senders that are remembered. One that is forgotten begins anew; the limit of all receipts still holds. */
const MAX_SENDERS = 10_000;

interface Account {
  /** Receipts that may be written now. */
  free: number;
  /** Milliseconds since 1970. */
  at: number;
}

/**
 * Bounds the receipts of each sender without counting rows: half of the limit at once, and the other half spread over the
 * life of a receipt. So no more than the limit are in the table at a time, for each process that writes them.
 */
export class SenderAllowance {
  readonly #accounts = new LRUCache<string, Account>({ max: MAX_SENDERS });
  readonly #burst: number;
  readonly #perMs: number;

  constructor(limit: number, lifeSeconds: number) {
    this.#burst = Math.max(1, limit / 2);
    this.#perMs = limit / 2 / (lifeSeconds * 1_000);
  }

  /** Takes one. @returns false when there is none */
  take(sender: string): boolean {
    const now = Date.now();
    let account = this.#accounts.get(sender);
    if (account === undefined) {
      account = { free: this.#burst, at: now };
      this.#accounts.set(sender, account);
    }
    // A clock that was set back gives nothing and takes nothing.
    account.free = Math.min(this.#burst, account.free + Math.max(0, now - account.at) * this.#perMs);
    account.at = now;
    if (account.free < 1) return false;
    account.free -= 1;
    return true;
  }
}
