import { errorMessage } from '../logging/error-message.js';
import type { Logger } from '../logging/logger.js';
import { getRateLimitedLog } from '../logging/rate-limited-log.js';
import type { IdentityNotices } from '../room-events/identity-notices.js';

/** The list is read again after this time, whether or not a notice has come. With a slow read it is 5 s old at most. */
const REFRESH_INTERVAL_MS = 4_000;

export interface BlockListOptions {
  /** Reads the keys of all blocked identities. */
  readonly read: () => Promise<readonly string[]>;
  readonly notices: IdentityNotices;
  readonly log: Logger;
  /** Default: {@link REFRESH_INTERVAL_MS}. */
  readonly intervalMs?: number;
}

/**
 * The identities that may not use this server, as this process last read them: at most 5 s ago while the database answers,
 * and at once after a notice. While the database fails, what was read last stays valid.
 */
export class BlockList {
  #keys: ReadonlySet<string> | undefined;
  #reading: Promise<void> | undefined;
  #isOutdated = false;
  readonly #listeners = new Set<(identityKey: string) => void>();
  readonly #timer: NodeJS.Timeout;
  readonly #stopListening: () => void;

  constructor(private readonly options: BlockListOptions) {
    this.#timer = setInterval(() => void this.refresh(), options.intervalMs ?? REFRESH_INTERVAL_MS);
    this.#timer.unref();
    this.#stopListening = options.notices.listen(({ type }) => {
      if (type === 'blocks_changed') void this.refresh();
    });
  }

  /** Whether the identity was blocked when the list was last read. False before the first read. */
  isBlocked(identityKey: string): boolean {
    return this.#keys?.has(identityKey) ?? false;
  }

  /**
   * Like {@link isBlocked}, but reads the list first when it was never read.
   *
   * @throws whatever the first read throws
   */
  async check(identityKey: string): Promise<boolean> {
    if (this.#keys === undefined) await this.#read();
    return this.isBlocked(identityKey);
  }

  /** Calls the listener with each identity that was blocked since the read before. @returns removes the listener */
  onBlocked(listener: (identityKey: string) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Reads the list. When a read is in progress, which may miss a change, another one follows. Never rejects. */
  async refresh(): Promise<void> {
    try {
      this.#isOutdated = this.#reading !== undefined;
      await this.#read();
      if (this.#isOutdated) {
        this.#isOutdated = false;
        await this.#read();
      }
    } catch (error) {
      const { log } = this.options;
      getRateLimitedLog(log).write(
        'info',
        { reason: errorMessage(error) },
        'the list of blocked identities was not read',
      );
    }
  }

  /** Reads no more. */
  close(): void {
    clearInterval(this.#timer);
    this.#stopListening();
    this.#listeners.clear();
  }

  #read(): Promise<void> {
    this.#reading ??= this.options
      .read()
      .then((keys) => this.#replace(new Set(keys)))
      .finally(() => {
        this.#reading = undefined;
      });
    return this.#reading;
  }

  #replace(keys: ReadonlySet<string>): void {
    const before = this.#keys;
    this.#keys = keys;
    for (const key of keys) {
      if (before?.has(key)) continue;
      for (const listener of this.#listeners) listener(key);
    }
  }
}
