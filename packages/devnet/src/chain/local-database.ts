import path from 'node:path';
import { createKnex, type StoreConfig, type StoreLog } from '@messagebox/store';
import type { Knex } from 'knex';
import { createMysqlLock, createSqliteLock, noLock, type ProcessLock } from './process-lock.js';

/** Connections, of which each lock takes one. */
const POOL_SIZE = 8;
/** A caller may have to wait for a whole transaction of another one. */
const ACQUIRE_TIMEOUT_MS = 60_000;
const MEMORY = ':memory:';

type Purpose = 'chain' | 'wallet';

/**
 * The database of the play chain or its wallet: the server's MySQL database, or a separate SQLite file, because an
 * asynchronous transaction in the file of the message store would block the store.
 */
export class LocalDatabase {
  readonly knex: Knex;
  readonly #locks = new Map<string, { lock: ProcessLock; turn: Promise<unknown> }>();

  /** @param purpose part of the names of the locks and of the table that records migrations */
  constructor(
    private readonly config: StoreConfig,
    private readonly purpose: Purpose,
    log?: StoreLog,
  ) {
    const waiting = { ...config, poolSize: POOL_SIZE, acquireTimeoutMs: ACQUIRE_TIMEOUT_MS };
    this.knex = createKnex(waiting, log, `knex_migrations_${purpose}`);
  }

  /** Opens the given MySQL database, or an SQLite file next to the given one. */
  static createBeside(config: StoreConfig, purpose: Purpose, log?: StoreLog): LocalDatabase {
    if (config.client === 'mysql2' || config.filename === MEMORY) return new LocalDatabase(config, purpose, log);
    const { dir, name, ext } = path.parse(config.filename);
    const filename = path.join(dir, `${name}-local-${purpose}${ext || '.sqlite'}`);
    return new LocalDatabase({ ...config, filename }, purpose, log);
  }

  /**
   * Runs `work` under a named lock that all processes with this database share. The same name must not be nested.
   *
   * @throws {Error} when the lock is not free in time
   */
  async withLock<T>(name: string, work: () => Promise<T>): Promise<T> {
    // One caller at a time asks for the lock, because each waiting one takes a connection.
    const entry = this.#locks.get(name) ?? { lock: this.#createLock(name), turn: Promise.resolve() };
    const result = entry.turn.then(() => entry.lock.run(work));
    entry.turn = result.catch(() => undefined);
    this.#locks.set(name, entry);
    return await result;
  }

  /** Waits for running work, and closes. */
  async close(): Promise<void> {
    const entries = [...this.#locks.values()];
    await Promise.all(entries.map(({ turn }) => turn));
    await Promise.all(entries.map(({ lock }) => lock.close()));
    await this.knex.destroy();
  }

  #createLock(name: string): ProcessLock {
    if (this.config.client === 'mysql2') return createMysqlLock(this.knex, `${this.purpose}-${name}`);
    return this.config.filename === MEMORY ? noLock : createSqliteLock(`${this.config.filename}-${name}.lock`);
  }
}
