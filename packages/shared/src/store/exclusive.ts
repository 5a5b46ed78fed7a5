import { createHash } from 'node:crypto';
import type { Connection, RowDataPacket } from 'mysql2';
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

/** How much longer than the lock's own wait the database may take to answer. */
const ANSWER_MS = 10_000;

/**
 * One holder of a name at a time, among all processes on one database: MySQL and MariaDB by a lock of a connection, which
 * ends with its holder, however that ends. SQLite has one process, so there it is a queue in this object.
 *
 * A holder whose connection was cut off may go on for a moment while another begins. What must never be done twice needs
 * a record of its own besides; the lock spares the collisions.
 */
export class Exclusive {
  #queue: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly sql: SqlClient,
    private readonly waitSeconds = 30,
  ) {}

  /** @throws {LockedError} when the lock was not free in time (nothing was done then), and what `work` throws */
  run<T>(name: string, work: (lock: HeldLock) => Promise<T>): Promise<T> {
    if (this.sql.dialect === 'mysql') return this.#runLocked(name, work);
    const result = this.#queue.then(() => work({ assertHeld: async () => undefined }));
    this.#queue = result.catch(() => {});
    return result;
  }

  async #runLocked<T>(name: string, work: (lock: HeldLock) => Promise<T>): Promise<T> {
    // Not of the pool: the work needs the pool's, and those that wait would use them up.
    const { client } = this.sql.knex;
    const connection = (await client.acquireRawConnection()) as Connection;
    try {
      const lock = await lockName(connection, name);
      const patience = this.waitSeconds * 1_000 + ANSWER_MS;
      if ((await ask(connection, 'SELECT GET_LOCK(?, ?) AS answer', [lock, this.waitSeconds], patience)) !== 1) {
        throw new LockedError(`Somebody else has been busy with "${name}" for ${this.waitSeconds} s.`);
      }
      return await work({ assertHeld: () => assertHeld(connection, lock, name) });
    } finally {
      // Ends the lock as well, at once or, when the connection is gone, when the database notices.
      await ask(connection, 'SELECT RELEASE_ALL_LOCKS() AS answer', []).catch(() => connection.destroy());
      await client.destroyRawConnection(connection);
    }
  }
}

/** Locks are the whole server's; the hash makes room for the database's name within 64 characters. */
async function lockName(connection: Connection, name: string): Promise<string> {
  const database = await ask(connection, 'SELECT DATABASE() AS answer', []);
  return createHash('sha256').update(`${database}\0${name}`).digest('hex').slice(0, 60);
}

async function assertHeld(connection: Connection, lock: string, name: string): Promise<void> {
  let answer: unknown;
  try {
    answer = await ask(connection, 'SELECT IS_USED_LOCK(?) = CONNECTION_ID() AS answer', [lock]);
  } catch (error) {
    throw new LockedError(`The lock on "${name}" was lost.`, { cause: error });
  }
  if (answer !== 1) throw new LockedError(`The lock on "${name}" was lost.`);
}

/** @returns the column `answer` of the one row */
function ask(connection: Connection, text: string, values: unknown[], patienceMs = ANSWER_MS): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      connection.destroy();
      reject(new Error(`The database did not answer within ${patienceMs} ms.`));
    }, patienceMs);
    connection.query<RowDataPacket[]>(text, values, (error, rows) => {
      clearTimeout(timer);
      if (error) reject(error);
      else resolve(rows[0]?.['answer']);
    });
  });
}
