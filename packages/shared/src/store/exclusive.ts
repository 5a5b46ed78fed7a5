import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Connection, ResultSetHeader, RowDataPacket } from 'mysql2';
import type { SqlClient } from './sql-client.js';

/** Another holder kept the lock for longer than the caller wanted to wait, or the lock was lost while it was held. */
export class LockedError extends Error {
  override readonly name = 'LockedError';
}

/** The lock, while it is held. */
export interface HeldLock {
  /**
   * To be asked before what can't be taken back: the connection that has the lock may have been cut.
   *
   * @throws {LockedError} when somebody else may hold it by now
   */
  assertHeld(): Promise<void>;
}

const ANSWER_MS = 10_000;
/** How long a machine must not have been heard of until the database takes its locks for free. */
const LOST_AFTER_SECONDS = 60;
/** A connection in use says so this often in that time. */
const SIGNS_OF_LIFE = 4;
const SHORTEST_PAUSE_MS = 20;
const LONGEST_PAUSE_MS = 100;

/**
 * One holder of a name at a time, among all processes on one database: MySQL and MariaDB by a lock of a connection, which
 * ends with its holder, however that ends: of a machine that is gone without a word the database hears nothing for a
 * minute. SQLite has one process, so there the queues in this object are enough.
 *
 * A holder whose connection was cut off may go on for a moment while another begins. What must never be done twice needs
 * a record of its own besides; the lock spares the collisions.
 */
export class Exclusive {
  readonly #turns = new Map<string, Promise<unknown>>();
  #locks: Locks | undefined;

  /**
   * @param waitSeconds how long to wait for another process; callers of this object wait for each other without end
   * @param lostAfterSeconds for tests
   */
  constructor(
    private readonly sql: SqlClient,
    private readonly waitSeconds = 30,
    private readonly lostAfterSeconds = LOST_AFTER_SECONDS,
  ) {}

  /** @throws {LockedError} when the lock was not free in time (nothing was done then), and what `work` throws */
  async run<T>(name: string, work: (lock: HeldLock) => Promise<T>): Promise<T> {
    const before = this.#turns.get(name) ?? Promise.resolve();
    const result = before.then(() =>
      this.sql.dialect === 'mysql' ? this.#runLocked(name, work) : work({ assertHeld: async () => undefined }),
    );
    const ended = result.catch(() => undefined);
    this.#turns.set(name, ended);
    try {
      return await result;
    } finally {
      if (this.#turns.get(name) === ended) this.#turns.delete(name);
    }
  }

  async #runLocked<T>(name: string, work: (lock: HeldLock) => Promise<T>): Promise<T> {
    if (this.#locks === undefined || this.#locks.isEnded) this.#locks = new Locks(this.sql, this.lostAfterSeconds);
    const locks = this.#locks;
    locks.enter();
    try {
      await this.#waitFor(locks, name);
      try {
        return await work({ assertHeld: () => locks.assertHeld(name) });
      } finally {
        await locks.release(name);
      }
    } finally {
      await locks.leave();
    }
  }

  async #waitFor(locks: Locks, name: string): Promise<void> {
    const deadline = performance.now() + this.waitSeconds * 1_000;
    while (!(await locks.take(name))) {
      if (performance.now() >= deadline) {
        throw new LockedError(`Somebody else has been busy with "${name}" for ${this.waitSeconds} s.`);
      }
      await delay(SHORTEST_PAUSE_MS + Math.random() * (LONGEST_PAUSE_MS - SHORTEST_PAUSE_MS));
    }
  }
}

/**
 * All locks that are held at a time, on one connection, which is opened by the first and closed by the last. It is none of
 * the pool: the work needs the pool's, and those that wait would use them up.
 */
class Locks {
  /** No more locks can be had here. */
  isEnded = false;
  #users = 0;
  #connection: Promise<Connection> | undefined;
  #signs: NodeJS.Timeout | undefined;
  #hasFailed = false;

  constructor(
    private readonly sql: SqlClient,
    private readonly lostAfterSeconds: number,
  ) {}

  enter(): void {
    this.#users += 1;
  }

  async leave(): Promise<void> {
    this.#users -= 1;
    if (this.#users > 0) return;
    this.isEnded = true;
    clearInterval(this.#signs);
    // One that has failed is destroyed already: asked to end, it would fail once more, with nobody listening.
    if (this.#hasFailed) return;
    const connection = await this.#connection?.catch(() => undefined);
    if (connection !== undefined) await this.sql.knex.client.destroyRawConnection(connection);
  }

  /** @returns whether nobody else has it */
  async take(name: string): Promise<boolean> {
    return (await this.#ask(`SELECT GET_LOCK(${LOCK}, 0) AS answer`, name)) === 1;
  }

  async release(name: string): Promise<void> {
    // If it fails, the connection ends, and the lock with it.
    await this.#ask(`SELECT RELEASE_LOCK(${LOCK}) AS answer`, name).catch(() => undefined);
  }

  /** @throws {LockedError} */
  async assertHeld(name: string): Promise<void> {
    let answer: unknown;
    try {
      answer = await this.#ask(`SELECT IS_USED_LOCK(${LOCK}) = CONNECTION_ID() AS answer`, name);
    } catch (error) {
      throw new LockedError(`The lock on "${name}" was lost.`, { cause: error });
    }
    if (answer !== 1) throw new LockedError(`The lock on "${name}" was lost.`);
  }

  /** @returns the column `answer` of the one row */
  async #ask(text: string, name: string): Promise<unknown> {
    this.#connection ??= this.#connect();
    const hash = createHash('sha256').update(name).digest('hex').slice(0, 32);
    try {
      return await ask(await this.#connection, text, [hash]);
    } catch (error) {
      // What is unsure of its locks is of no use to anybody else.
      this.isEnded = true;
      this.#hasFailed = true;
      clearInterval(this.#signs);
      (await this.#connection.catch(() => undefined))?.destroy();
      throw error;
    }
  }

  async #connect(): Promise<Connection> {
    const connection = (await this.sql.knex.client.acquireRawConnection()) as Connection;
    await ask(connection, 'SET SESSION wait_timeout = ?', [this.lostAfterSeconds]);
    this.#signs = setInterval(() => connection.ping(() => undefined), (this.lostAfterSeconds * 1_000) / SIGNS_OF_LIFE);
    this.#signs.unref();
    return connection;
  }
}

/** Names of locks are the whole server's, and 64 characters long at most; hence hashes, of ours and the database's. */
const LOCK = 'CONCAT(?, LEFT(SHA2(DATABASE(), 256), 32))';

function ask(connection: Connection, text: string, values: unknown[]): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`The database did not answer within ${ANSWER_MS} ms.`)), ANSWER_MS);
    connection.query<RowDataPacket[] | ResultSetHeader>(text, values, (error, rows) => {
      clearTimeout(timer);
      if (error) reject(error);
      else resolve(Array.isArray(rows) ? rows[0]?.['answer'] : undefined);
    });
  });
}
