import { LRUCache } from 'lru-cache';
import { type RetryPolicy, retry } from '../client/retry.js';
import { getInteger } from '../client/rows.js';
import { prepared, type SqlRunner, toBinaryName } from '../client/sql-client.js';
import { classifySqlError } from '../client/translate-error.js';

const SELECT_BOX = prepared('SELECT messageBoxId FROM messageBox WHERE identityKey = ? AND type = ?');
const INSERT_BOX = prepared('INSERT INTO messageBox (identityKey, type) VALUES (?, ?)');
const DEFAULT_CAPACITY = 20_000;
/** A duplicate is a row that another caller has committed since the SELECT: the next SELECT finds it. */
const DUPLICATE_RETRY: RetryPolicy = {
  isRetryable: (error) => classifySqlError(error) === 'duplicate',
  maxAttempts: 5,
};

/**
 * Finds and creates boxes, and caches their row ids, so that a send to a known box needs no query for them. Row ids are never
 * used twice. A cached box that has been deleted makes an insert of a message fail by its foreign key; then call `evict`.
 */
export class BoxIdCache {
  readonly #ids: LRUCache<string, number>;
  readonly #pendingLookups = new Map<string, Promise<number>>();

  constructor(
    private readonly sql: SqlRunner,
    capacity = DEFAULT_CAPACITY,
  ) {
    this.#ids = new LRUCache({ max: capacity });
  }

  /** The box's row id when it is cached. */
  get(owner: string, box: string): number | undefined {
    return this.#ids.get(toKey(owner, box));
  }

  /** The box's row id. Undefined when the box doesn't exist. */
  async find(owner: string, box: string): Promise<number | undefined> {
    const key = toKey(owner, box);
    const known = this.#ids.get(key) ?? (await this.#select(owner, box));
    if (known !== undefined) this.#ids.set(key, known);
    return known;
  }

  /** The box's row id. Creates the box when it doesn't exist. Concurrent calls for one box share a query. */
  findOrCreate(owner: string, box: string): Promise<number> {
    const key = toKey(owner, box);
    let pending = this.#pendingLookups.get(key);
    if (pending === undefined) {
      pending = this.#selectOrInsert(owner, box)
        .then((id) => {
          this.#ids.set(key, id);
          return id;
        })
        .finally(() => this.#pendingLookups.delete(key));
      this.#pendingLookups.set(key, pending);
    }
    return pending;
  }

  /** Forgets the box's row id. */
  evict(owner: string, box: string): void {
    this.#ids.delete(toKey(owner, box));
  }

  #selectOrInsert(owner: string, box: string): Promise<number> {
    return retry(DUPLICATE_RETRY, async () => {
      const known = await this.#select(owner, box);
      return known ?? (await this.sql.write(INSERT_BOX, [toBinaryName(owner), toBinaryName(box)])).insertId;
    });
  }

  async #select(owner: string, box: string): Promise<number | undefined> {
    const [row] = await this.sql.read(SELECT_BOX, [toBinaryName(owner), toBinaryName(box)]);
    return row === undefined ? undefined : getInteger(row, 'messageBoxId');
  }
}

/** Both parts are free text, so the length of the first keeps `('ab', 'c')` and `('a', 'bc')` apart. */
function toKey(owner: string, box: string): string {
  return `${owner.length}:${owner}${box}`;
}
