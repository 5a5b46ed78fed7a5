import { createHash } from 'node:crypto';
import type { Connection, RowDataPacket } from 'mysql2';
import type { SqlClient } from './sql-client.js';

/** Another holder kept the lock for longer than the caller wanted to wait. Nothing was done. */
export class LockedError extends Error {
  override readonly name = 'LockedError';
}

/**
 * One holder of a name at a time, among all processes on one database: MySQL and MariaDB by a lock of the connection,
 * which ends with its holder, however that ends. SQLite has one process, so there it is a queue in this object.
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

  /** @throws {LockedError} when the lock was not free in time, and what `work` throws */
  run<T>(name: string, work: () => Promise<T>): Promise<T> {
    if (this.sql.dialect === 'mysql') return this.#runLocked(name, work);
    const result = this.#queue.then(work);
    this.#queue = result.catch(() => {});
    return result;
  }

  async #runLocked<T>(name: string, work: () => Promise<T>): Promise<T> {
    // Locks are the whole server's; the hash makes room for the database's name within 64 characters.
    const connection = (await this.sql.knex.client.acquireConnection()) as Connection;
    try {
      const [{ database }] = await query<[{ database: string }]>(connection, 'SELECT DATABASE() AS `database`', []);
      const lock = createHash('sha256').update(`${database}\0${name}`).digest('hex').slice(0, 60);
      const [{ got }] = await query<[{ got: number | null }]>(connection, 'SELECT GET_LOCK(?, ?) AS got', [
        lock,
        this.waitSeconds,
      ]);
      if (got !== 1) throw new LockedError(`Somebody else has been busy with "${name}" for ${this.waitSeconds} s.`);
      try {
        return await work();
      } finally {
        // A connection that can't give it back must not carry it to the next user.
        await query(connection, 'SELECT RELEASE_LOCK(?)', [lock]).catch(() => connection.destroy());
      }
    } finally {
      this.sql.knex.client.releaseConnection(connection);
    }
  }
}

function query<T>(connection: Connection, text: string, values: unknown[]): Promise<T> {
  return new Promise((resolve, reject) => {
    connection.query<RowDataPacket[]>(text, values, (error, rows) => {
      if (error) reject(error);
      else resolve(rows as unknown as T);
    });
  });
}
