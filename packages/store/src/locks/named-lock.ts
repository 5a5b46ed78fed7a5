import { createHash } from 'node:crypto';
import type { Connection, ResultSetHeader, RowDataPacket } from 'mysql2';
import { type RetryPolicy, retry } from '../client/retry.js';
import type { SqlClient } from '../client/sql-client.js';

/** Another holder kept the lock for longer than the caller waits, or the lock was lost while it was held. */
export class LockedError extends Error {
  override readonly name: string = 'LockedError';
}

/** The lock could not be acquired: another holder kept it for too long, or the database failed. No work was done. */
export class LockUnavailableError extends LockedError {
  override readonly name = 'LockUnavailableError';
}

/** The lock, while it is held. */
export interface HeldLock {
  /**
   * Call this before a step that can't be undone: the connection that has the lock may have been cut.
   *
   * @throws {LockedError} when another process may hold the lock by now
   */
  assertHeld(): Promise<void>;
}

const ANSWER_TIMEOUT_MS = 10_000;
/** The database releases the locks of a machine that has been silent for this long. */
const CONNECTION_TIMEOUT_SECONDS = 60;
/** Pings of a connection in use within that time. */
const KEEP_ALIVES_PER_TIMEOUT = 4;
const MIN_POLL_PAUSE_MS = 20;
const MAX_POLL_PAUSE_MS = 100;

/**
 * A lock by name, with one holder at a time among all processes on one database.
 *
 * On MySQL and MariaDB it is a lock of a connection, so it ends with its holder: at once when the process dies, and after a
 * minute of silence when its machine is lost. SQLite serves one process, so the queues in this object are enough.
 *
 * A holder whose connection was cut may continue for a moment while another begins. Therefore work that must never be done
 * twice also needs a record of its own; the lock only avoids collisions.
 */
export class NamedLock {
  readonly #queues = new Map<string, Promise<unknown>>();
  #connection: LockConnection | undefined;

  /**
   * @param waitSeconds how long to wait for another process; callers of this object wait for each other without a limit
   * @param connectionTimeoutSeconds another value for tests
   */
  constructor(
    private readonly sql: SqlClient,
    private readonly waitSeconds = 30,
    private readonly connectionTimeoutSeconds = CONNECTION_TIMEOUT_SECONDS,
  ) {}

  /**
   * Runs `work` while this process holds the lock.
   *
   * @throws {LockUnavailableError} when the lock could not be acquired; `work` was not called then
   * @throws what `work` throws
   */
  async withLock<T>(name: string, work: (lock: HeldLock) => Promise<T>): Promise<T> {
    const before = this.#queues.get(name) ?? Promise.resolve();
    const result = before.then(() =>
      this.sql.engine === 'mysql' ? this.#runWithMysqlLock(name, work) : work({ assertHeld: async () => undefined }),
    );
    const ended = result.catch(() => undefined);
    this.#queues.set(name, ended);
    try {
      return await result;
    } finally {
      if (this.#queues.get(name) === ended) this.#queues.delete(name);
    }
  }

  async #runWithMysqlLock<T>(name: string, work: (lock: HeldLock) => Promise<T>): Promise<T> {
    if (this.#connection === undefined || this.#connection.isEnded)
      this.#connection = new LockConnection(this.sql, this.connectionTimeoutSeconds);
    const connection = this.#connection;
    connection.addUser();
    try {
      await this.#acquire(connection, name);
      try {
        return await work({ assertHeld: () => connection.assertHeld(name) });
      } finally {
        await connection.release(name);
      }
    } finally {
      await connection.removeUser();
    }
  }

  async #acquire(connection: LockConnection, name: string): Promise<void> {
    const policy: RetryPolicy = {
      // Without a cause: the database answered that another process holds the lock.
      isRetryable: (error) => error instanceof LockUnavailableError && error.cause === undefined,
      maxTotalMs: this.waitSeconds * 1_000,
      getPauseMs: () => MIN_POLL_PAUSE_MS + Math.random() * (MAX_POLL_PAUSE_MS - MIN_POLL_PAUSE_MS),
    };
    await retry(policy, async () => {
      if (await tryAcquire(connection, name)) return;
      throw new LockUnavailableError(`Another process has held the lock on "${name}" for ${this.waitSeconds} s.`);
    });
  }
}

async function tryAcquire(connection: LockConnection, name: string): Promise<boolean> {
  try {
    return await connection.tryAcquire(name);
  } catch (error) {
    throw new LockUnavailableError(`The lock on "${name}" could not be asked for.`, { cause: error });
  }
}

/**
 * One connection for all locks that are held at a time. The first user opens it, and the last one closes it. It doesn't come
 * from the pool: the work needs the pool's connections, and waiting callers would use them up.
 */
class LockConnection {
  /** True: no more locks can be acquired here. */
  isEnded = false;
  #users = 0;
  #connection: Promise<Connection> | undefined;
  #keepAliveTimer: NodeJS.Timeout | undefined;
  #hasFailed = false;

  constructor(
    private readonly sql: SqlClient,
    private readonly connectionTimeoutSeconds: number,
  ) {}

  addUser(): void {
    this.#users += 1;
  }

  async removeUser(): Promise<void> {
    this.#users -= 1;
    if (this.#users > 0) return;
    this.isEnded = true;
    clearInterval(this.#keepAliveTimer);
    // A failed connection is destroyed already. Asked to end, it would emit another error, which nothing handles.
    if (this.#hasFailed) return;
    const connection = await this.#connection?.catch(() => undefined);
    if (connection !== undefined) await this.sql.knex.client.destroyRawConnection(connection);
  }

  /** @returns whether the lock was acquired */
  async tryAcquire(name: string): Promise<boolean> {
    return (await this.#query(`SELECT GET_LOCK(${LOCK_NAME_SQL}, 0) AS answer`, name)) === 1;
  }

  async release(name: string): Promise<void> {
    // When this fails, the connection ends, and the lock with it.
    await this.#query(`SELECT RELEASE_LOCK(${LOCK_NAME_SQL}) AS answer`, name).catch(() => undefined);
  }

  /** @throws {LockedError} */
  async assertHeld(name: string): Promise<void> {
    let answer: unknown;
    try {
      answer = await this.#query(`SELECT IS_USED_LOCK(${LOCK_NAME_SQL}) = CONNECTION_ID() AS answer`, name);
    } catch (error) {
      throw new LockedError(`The lock on "${name}" was lost.`, { cause: error });
    }
    if (answer !== 1) throw new LockedError(`The lock on "${name}" was lost.`);
  }

  /** @returns the column `answer` of the one row */
  async #query(text: string, name: string): Promise<unknown> {
    this.#connection ??= this.#connect();
    const hash = createHash('sha256').update(name).digest('hex').slice(0, 32);
    try {
      return await queryAnswer(await this.#connection, text, [hash]);
    } catch (error) {
      // Nobody knows which locks this connection still has, so it must not be used again.
      this.isEnded = true;
      this.#hasFailed = true;
      clearInterval(this.#keepAliveTimer);
      (await this.#connection.catch(() => undefined))?.destroy();
      throw error;
    }
  }

  async #connect(): Promise<Connection> {
    const connection = (await this.sql.knex.client.acquireRawConnection()) as Connection;
    await queryAnswer(connection, 'SET SESSION wait_timeout = ?', [this.connectionTimeoutSeconds]);
    this.#keepAliveTimer = setInterval(
      () => connection.ping(() => undefined),
      (this.connectionTimeoutSeconds * 1_000) / KEEP_ALIVES_PER_TIMEOUT,
    );
    this.#keepAliveTimer.unref();
    return connection;
  }
}

/** MySQL's lock names are global to the server and have at most 64 characters: hence hashes, of the name and the database. */
const LOCK_NAME_SQL = 'CONCAT(?, LEFT(SHA2(DATABASE(), 256), 32))';

function queryAnswer(connection: Connection, text: string, values: unknown[]): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Error(`The database did not answer within ${ANSWER_TIMEOUT_MS} ms.`)),
      ANSWER_TIMEOUT_MS,
    );
    connection.query<RowDataPacket[] | ResultSetHeader>(text, values, (error, rows) => {
      clearTimeout(timer);
      if (error) reject(error);
      else resolve(Array.isArray(rows) ? rows[0]?.['answer'] : undefined);
    });
  });
}
