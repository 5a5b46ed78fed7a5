import path from 'node:path';
import { createKnex, type StoreConfig, type StoreLog } from '@messagebox/shared';
import type { Knex } from 'knex';

/** Connections are for what runs at once; locks hold one each. */
const POOL_SIZE = 6;
const LOCK_WAIT_SECONDS = 30;
/** Who waits for a connection waits for another's whole transaction. */
const ACQUIRE_TIMEOUT_MS = 60_000;

type Purpose = 'chain' | 'wallet';

/**
 * Where play money is kept: in our own MySQL database, or in an SQLite file next to our own. A file of its own, because
 * an asynchronous transaction in the message store's file would block the store.
 */
export class LocalDatabase {
  readonly knex: Knex;
  private readonly turns = new Map<string, Promise<unknown>>();

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
    if (config.client === 'mysql2') return new LocalDatabase(config, purpose, log);
    return new LocalDatabase({ ...config, filename: fileBeside(config.filename, purpose) }, purpose, log);
  }

  /**
   * Runs `work` while nobody else runs under the same name: no other call here, and with MySQL no other process. (An
   * SQLite file is for one process.) Not to be nested under the same name.
   */
  async alone<T>(name: string, work: () => Promise<T>): Promise<T> {
    const result = (this.turns.get(name) ?? Promise.resolve()).then(() =>
      this.config.client === 'mysql2' ? this.underLock(name, work) : work(),
    );
    this.turns.set(
      name,
      result.catch(() => undefined),
    );
    return await result;
  }

  async close(): Promise<void> {
    await Promise.all(this.turns.values());
    await this.knex.destroy();
  }

  /** The lock belongs to a connection, so it ends with a process that dies. */
  private async underLock<T>(name: string, work: () => Promise<T>): Promise<T> {
    const { client } = this.knex;
    const connection: unknown = await client.acquireConnection();
    // Names of locks are the server's, not the database's, and at most 64 characters long.
    const lock = this.knex.raw('CONCAT(?, LEFT(SHA2(DATABASE(), 256), 32))', [
      `messagebox-${this.purpose}-${name}-`.slice(0, 31),
    ]);
    try {
      const [[row]] = await this.knex
        .raw('SELECT GET_LOCK(?, ?) AS held', [lock, LOCK_WAIT_SECONDS])
        .connection(connection);
      if (row.held !== 1) throw new Error(`The ${this.purpose} of the local network is busy.`);
      try {
        return await work();
      } finally {
        await this.knex.raw('SELECT RELEASE_LOCK(?)', [lock]).connection(connection);
      }
    } finally {
      await client.releaseConnection(connection);
    }
  }
}

function fileBeside(filename: string, purpose: Purpose): string {
  if (filename === ':memory:') return filename;
  const { dir, name, ext } = path.parse(filename);
  return path.join(dir, `${name}-local-${purpose}${ext || '.sqlite'}`);
}
