import path from 'node:path';
import { createKnex, type StoreConfig, type StoreLog } from '@messagebox/shared';
import type { Knex } from 'knex';

/** Connections are for what runs at once; locks hold one each. */
const POOL_SIZE = 6;
const LOCK_WAIT_SECONDS = 30;

/**
 * Where play money is kept: in our own MySQL database, or in an SQLite file next to our own. A file of its own, because
 * an asynchronous transaction in the message store's file would block the store.
 */
export class LocalDatabase {
  readonly knex: Knex;
  private readonly turns = new Map<string, Promise<unknown>>();

  /** @param purpose goes into the names of the SQLite file, of locks and of the table that records migrations */
  constructor(
    private readonly config: StoreConfig,
    private readonly purpose: 'chain' | 'wallet',
    log?: StoreLog,
  ) {
    const own: StoreConfig =
      config.client === 'mysql2'
        ? { ...config, poolSize: POOL_SIZE, acquireTimeoutMs: 60_000 }
        : { client: 'better-sqlite3', filename: fileNextTo(config.filename, purpose), acquireTimeoutMs: 60_000 };
    this.knex = createKnex(own, log, `knex_migrations_${purpose}`);
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

function fileNextTo(filename: string, purpose: string): string {
  if (filename === ':memory:') return filename;
  const { dir, name, ext } = path.parse(filename);
  return path.join(dir, `${name}-local-${purpose}${ext || '.sqlite'}`);
}
