import path from 'node:path';
import { createKnex, type StoreConfig, type StoreLog } from '@messagebox/shared';
import type { Knex } from 'knex';
import { mysqlLock, noLock, type ProcessLock, sqliteLock } from './process-lock.js';

/** Connections are for what runs at once; locks take one each. */
const POOL_SIZE = 8;
/** Who waits for a connection waits for another's whole transaction. */
const ACQUIRE_TIMEOUT_MS = 60_000;
const MEMORY = ':memory:';

type Purpose = 'chain' | 'wallet';

/**
 * Where play money is kept: in our own MySQL database, or in an SQLite file next to our own. A file of its own, because
 * an asynchronous transaction in the message store's file would block the store.
 */
export class LocalDatabase {
  readonly knex: Knex;
  private readonly locks = new Map<string, { lock: ProcessLock; turn: Promise<unknown> }>();

  /** @param purpose goes into the names of locks and of the table that records migrations */
  constructor(
    private readonly config: StoreConfig,
    private readonly purpose: Purpose,
    log?: StoreLog,
  ) {
    const waiting = { ...config, poolSize: POOL_SIZE, acquireTimeoutMs: ACQUIRE_TIMEOUT_MS };
    this.knex = createKnex(waiting, log, `knex_migrations_${purpose}`);
  }

  /** In the MySQL database that is named, or in an SQLite file next to the one that is named. */
  static beside(config: StoreConfig, purpose: Purpose, log?: StoreLog): LocalDatabase {
    if (config.client === 'mysql2' || config.filename === MEMORY) return new LocalDatabase(config, purpose, log);
    const { dir, name, ext } = path.parse(config.filename);
    const filename = path.join(dir, `${name}-local-${purpose}${ext || '.sqlite'}`);
    return new LocalDatabase({ ...config, filename }, purpose, log);
  }

  /**
   * Runs `work` while nobody else runs under the same name, in any process that has this database open. Not to be nested
   * under the same name.
   *
   * @throws {Error} when others take too long
   */
  async alone<T>(name: string, work: () => Promise<T>): Promise<T> {
    // One at a time from here asks for the lock: each that waits for it takes a connection.
    const entry = this.locks.get(name) ?? { lock: this.createLock(name), turn: Promise.resolve() };
    const result = entry.turn.then(() => entry.lock.hold(work));
    entry.turn = result.catch(() => undefined);
    this.locks.set(name, entry);
    return await result;
  }

  /** Waits for what runs. */
  async close(): Promise<void> {
    const entries = [...this.locks.values()];
    await Promise.all(entries.map(({ turn }) => turn));
    await Promise.all(entries.map(({ lock }) => lock.close()));
    await this.knex.destroy();
  }

  private createLock(name: string): ProcessLock {
    if (this.config.client === 'mysql2') return mysqlLock(this.knex, `${this.purpose}-${name}`);
    return this.config.filename === MEMORY ? noLock : sqliteLock(`${this.config.filename}-${name}.lock`);
  }
}
