import { setTimeout as delay } from 'node:timers/promises';
import { createKnex } from '@messagebox/shared';
import type { Knex } from 'knex';

/** Keeps other processes, and other users of the same database in this one, out while something is done. */
export interface ProcessLock {
  /** Runs `work` while the lock is held. It ends with the process that holds it. */
  hold<T>(work: () => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

const WAIT_MS = 30_000;
const POLL_MS = 10;

/** A named lock of a MySQL or MariaDB server. Takes a connection of `knex` while it waits and while it is held. */
export function mysqlLock(knex: Knex, name: string): ProcessLock {
  // Names are the server's, not the database's, and at most 64 characters long.
  const lock = knex.raw('CONCAT(?, LEFT(SHA2(DATABASE(), 256), 32))', [`messagebox-${name}-`.slice(0, 31)]);
  return {
    async hold(work) {
      const connection: unknown = await knex.client.acquireConnection();
      try {
        const take = knex.raw('SELECT GET_LOCK(?, ?) AS held', [lock, WAIT_MS / 1_000]);
        const [[row]] = await take.connection(connection);
        if (row.held !== 1) throw busy();
        try {
          return await work();
        } finally {
          await knex.raw('SELECT RELEASE_LOCK(?)', [lock]).connection(connection);
        }
      } finally {
        await knex.client.releaseConnection(connection);
      }
    },
    close: async () => undefined,
  };
}

/** A file whose only use is that SQLite locks it: one in the data's own file would have to be waited for in its queries. */
export function sqliteLock(file: string): ProcessLock {
  let knex: Knex | undefined;
  return {
    async hold(work) {
      knex ??= createKnex({ client: 'better-sqlite3', filename: file });
      const deadline = performance.now() + WAIT_MS;
      // SQLite's own waiting would stop the event loop, and with it whoever in this process has the lock.
      await knex.raw('PRAGMA busy_timeout = 0');
      while (!(await began(knex))) {
        if (performance.now() > deadline) throw busy();
        await delay(POLL_MS + Math.random() * POLL_MS);
      }
      try {
        return await work();
      } finally {
        await knex.raw('ROLLBACK');
      }
    },
    async close() {
      await knex?.destroy();
    },
  };
}

/** For a database that nobody else can open. */
export const noLock: ProcessLock = { hold: (work) => work(), close: async () => undefined };

async function began(knex: Knex): Promise<boolean> {
  try {
    await knex.raw('BEGIN EXCLUSIVE');
    return true;
  } catch (error) {
    const { code } = error as { code?: unknown };
    if (typeof code === 'string' && code.startsWith('SQLITE_BUSY')) return false;
    throw error;
  }
}

function busy(): Error {
  return new Error('The local network is busy.');
}
