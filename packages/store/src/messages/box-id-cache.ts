import { LRUCache } from 'lru-cache';
import { chunks } from '../client/chunks.js';
import { type RetryPolicy, retry } from '../client/retry.js';
import { getInteger, getName } from '../client/rows.js';
import { dynamic, prepared, type SqlClient, type SqlValue, toBinaryName } from '../client/sql-client.js';
import { listRows } from '../client/sql-text.js';
import { classifySqlError } from '../client/translate-error.js';

const SELECT_BOX = prepared('SELECT messageBoxId FROM messageBox WHERE identityKey = ? AND type = ?');
const INSERT_BOX = prepared('INSERT INTO messageBox (identityKey, type) VALUES (?, ?)');
const DEFAULT_CAPACITY = 20_000;
const MAX_BOXES_PER_STATEMENT = 200;
const MAX_CREATE_ATTEMPTS = 5;
/** A duplicate is a row that another caller has committed since the SELECT: the next SELECT finds it. */
const DUPLICATE_RETRY: RetryPolicy = {
  isRetryable: (error) => classifySqlError(error) === 'duplicate',
  maxAttempts: 5,
};

/** A box, by its owner's identity key and its name. */
export interface BoxName {
  readonly owner: string;
  readonly box: string;
}

/**
 * Finds and creates boxes, and caches their row ids, so that a send to a known box needs no query for them. Row ids are never
 * used twice. A cached box that has been deleted makes an insert of a message fail by its foreign key; then call `evict`.
 */
export class BoxIdCache {
  readonly #ids: LRUCache<string, number>;
  readonly #pendingLookups = new Map<string, Promise<number>>();

  constructor(
    private readonly sql: SqlClient,
    capacity = DEFAULT_CAPACITY,
  ) {
    this.#ids = new LRUCache({ max: capacity });
  }

  /** The box's row id when it is cached. */
  get(name: BoxName): number | undefined {
    return this.#ids.get(toBoxKey(name));
  }

  /** The row ids of these boxes, as far as they exist, by {@link toBoxKey}. */
  async findAll(boxes: readonly BoxName[]): Promise<Map<string, number>> {
    const found = new Map<string, number>();
    const others: BoxName[] = [];
    for (const name of boxes) {
      const id = this.get(name);
      if (id === undefined) others.push(name);
      else found.set(toBoxKey(name), id);
    }
    const [only] = others;
    if (others.length === 1 && only !== undefined) {
      const id = await this.#select(only.owner, only.box);
      if (id !== undefined) found.set(toBoxKey(only), id);
    } else {
      await this.#selectAll(others, found);
    }
    for (const name of others) {
      const id = found.get(toBoxKey(name));
      if (id !== undefined) this.#ids.set(toBoxKey(name), id);
    }
    return found;
  }

  /** Creates boxes that were not found, many in a few statements. @returns their row ids by {@link toBoxKey} */
  async createAll(boxes: readonly BoxName[]): Promise<Map<string, number>> {
    const [only] = boxes;
    if (boxes.length === 1 && only !== undefined) {
      return new Map([[toBoxKey(only), await this.findOrCreate(only.owner, only.box)]]);
    }
    const created = new Map<string, number>();
    let missing = boxes;
    for (let attempt = 1; missing.length > 0; attempt++) {
      // A box can be removed between its creation and the SELECT, because it is not in use yet.
      if (attempt > MAX_CREATE_ATTEMPTS) throw new Error('Boxes are removed faster than they are created.');
      await this.#insertAll(missing);
      for (const [key, id] of await this.findAll(missing)) created.set(key, id);
      missing = missing.filter((name) => !created.has(toBoxKey(name)));
    }
    return created;
  }

  /** The box's row id. Creates the box when it doesn't exist. Concurrent calls for one box share a query. */
  findOrCreate(owner: string, box: string): Promise<number> {
    const key = toBoxKey({ owner, box });
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
  evict(name: BoxName): void {
    this.#ids.delete(toBoxKey(name));
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

  async #selectAll(boxes: readonly BoxName[], found: Map<string, number>): Promise<void> {
    for (const chunk of chunks(boxes, MAX_BOXES_PER_STATEMENT)) {
      const isAnyOf = chunk.map(() => '(identityKey = ? AND type = ?)').join(' OR ');
      const rows = await this.sql.read(
        dynamic(`SELECT messageBoxId, identityKey, type FROM messageBox WHERE ${isAnyOf}`),
        chunk.flatMap(toValues),
      );
      for (const row of rows) {
        const key = toBoxKey({ owner: getName(row, 'identityKey'), box: getName(row, 'type') });
        found.set(key, getInteger(row, 'messageBoxId'));
      }
    }
  }

  async #insertAll(boxes: readonly BoxName[]): Promise<void> {
    // The same order everywhere, so that two callers with the same boxes don't deadlock.
    const sorted = [...new Map(boxes.map((name) => [toBoxKey(name), name]))].sort(([a], [b]) => (a < b ? -1 : 1));
    for (const chunk of chunks(sorted, MAX_BOXES_PER_STATEMENT)) {
      // A box that another caller has created meanwhile stays as it is.
      const onConflict = `${this.sql.dialect.onConflictUpdate('identityKey', 'type')} messageBoxId = messageBoxId`;
      await this.sql.write(
        dynamic(`INSERT INTO messageBox (identityKey, type) VALUES ${listRows('(?, ?)', chunk.length)} ${onConflict}`),
        chunk.flatMap(([, name]) => toValues(name)),
      );
    }
  }
}

function toValues({ owner, box }: BoxName): SqlValue[] {
  return [toBinaryName(owner), toBinaryName(box)];
}

/** The key of a box in maps. Both parts are free text, so the length keeps `('ab', 'c')` and `('a', 'bc')` apart. */
export function toBoxKey({ owner, box }: BoxName): string {
  return `${owner.length}:${owner}${box}`;
}
