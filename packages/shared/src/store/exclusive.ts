import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Connection, RowDataPacket } from 'mysql2';
import type { SqlClient } from './sql-client.js';
import { DEFAULT_QUERY_TIMEOUT_MS } from './store-config.js';

/** Another holder kept the lock for longer than the caller wanted to wait. Nothing was done. */
export class LockedError extends Error {
  override readonly name = 'LockedError';
}

const SHORTEST_PAUSE_MS = 20;
const LONGEST_PAUSE_MS = 100;

/**
 * One holder of a name at a time, among all processes on one database: MySQL and MariaDB by a lock of a connection, which
 * ends with its holder, however that ends. SQLite has one process, so there the queue in this object is enough.
 *
 * However many names are held here, they take one connection of the pool: holders need others for their work, and would
 * wait for each other if each kept one.
 *
 * A holder whose connection was cut off may go on for a moment while another begins. What must never be done twice needs
 * a record of its own besides; the lock spares the collisions.
 */
export class Exclusive {
  readonly #turns = new Map<string, Promise<unknown>>();
  #locks: HeldLocks | undefined;

  /** @param waitSeconds how long to wait for another process; callers of this object wait for each other without end */
  constructor(
    private readonly sql: SqlClient,
    private readonly waitSeconds = 30,
  ) {}

  /** @throws {LockedError} when another process did not give the lock up in time, and what `work` throws */
  async run<T>(name: string, work: () => Promise<T>): Promise<T> {
    const before = this.#turns.get(name) ?? Promise.resolve();
    const result = before.then(() => (this.sql.dialect === 'mysql' ? this.#runLocked(name, work) : work()));
    const ended = result.catch(() => undefined);
    this.#turns.set(name, ended);
    try {
      return await result;
    } finally {
      if (this.#turns.get(name) === ended) this.#turns.delete(name);
    }
  }

  async #runLocked<T>(name: string, work: () => Promise<T>): Promise<T> {
    if (this.#locks === undefined || this.#locks.broken) this.#locks = new HeldLocks(this.sql);
    const locks = this.#locks;
    await locks.begin();
    try {
      await this.#waitFor(locks, name);
      try {
        return await work();
      } finally {
        await locks.release(name);
      }
    } finally {
      locks.end();
    }
  }

  async #waitFor(locks: HeldLocks, name: string): Promise<void> {
    const deadline = performance.now() + this.waitSeconds * 1_000;
    while (!(await locks.take(name))) {
      if (performance.now() >= deadline) {
        throw new LockedError(`Somebody else has been busy with "${name}" for ${this.waitSeconds} s.`);
      }
      await delay(SHORTEST_PAUSE_MS + Math.random() * (LONGEST_PAUSE_MS - SHORTEST_PAUSE_MS));
    }
  }
}

/** Locks on one connection, which is taken from the pool by the first who needs it and given back by the last. */
class HeldLocks {
  /** The connection was lost, and all its locks with it. */
  broken = false;
  #users = 0;
  #connection: Promise<Connection> | undefined;

  constructor(private readonly sql: SqlClient) {}

  async begin(): Promise<void> {
    this.#users += 1;
    this.#connection ??= this.sql.knex.client.acquireConnection() as Promise<Connection>;
    try {
      await this.#connection;
    } catch (error) {
      this.broken = true;
      throw error;
    }
  }

  end(): void {
    this.#users -= 1;
    if (this.#users > 0) return;
    const connection = this.#connection;
    this.#connection = undefined;
    connection?.then((taken) => this.sql.knex.client.releaseConnection(taken)).catch(() => undefined);
  }

  /** @returns whether nobody else has it */
  async take(name: string): Promise<boolean> {
    const [row] = await this.#query<{ got: number | null }>(`SELECT GET_LOCK(${LOCK_NAME}, 0) AS got`, name);
    return row?.got === 1;
  }

  async release(name: string): Promise<void> {
    // If it fails, the connection is gone, and the lock with it.
    await this.#query(`SELECT RELEASE_LOCK(${LOCK_NAME})`, name).catch(() => undefined);
  }

  async #query<T>(text: string, name: string): Promise<T[]> {
    const connection = await this.#connection;
    if (connection === undefined) throw new Error('There is no connection for locks.');
    const hash = createHash('sha256').update(name).digest('hex').slice(0, 32);
    try {
      return await new Promise<T[]>((resolve, reject) => {
        const late = () => reject(new Error(`The database did not answer within ${DEFAULT_QUERY_TIMEOUT_MS} ms.`));
        const timer = setTimeout(late, DEFAULT_QUERY_TIMEOUT_MS);
        connection.query<RowDataPacket[]>(text, [hash], (error, rows) => {
          clearTimeout(timer);
          if (error) reject(error);
          else resolve(rows as unknown as T[]);
        });
      });
    } catch (error) {
      // One that can't give its locks back must not carry them to its next user.
      this.broken = true;
      connection.destroy();
      throw error;
    }
  }
}

/** Names of locks are the whole server's, and 64 characters long at most; hence the hashes of both names. */
const LOCK_NAME = 'CONCAT(?, LEFT(SHA2(DATABASE(), 256), 32))';
