import { setTimeout as delay } from 'node:timers/promises';
import { createKnex } from '@messagebox/store';
import type { Knex } from 'knex';

/** A lock among all processes, and among the users of one database in this process. */
export interface ProcessLock {
  /** Runs `work` under the lock. The lock ends with the process that holds it. */
  run<T>(work: () => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

const LOCK_TIMEOUT_MS = 30_000;
const POLL_INTERVAL_MS = 10;

/** Creates a named lock of MySQL or MariaDB. It takes a connection of `knex` while it waits and while it is held. */
export function createMysqlLock(knex: Knex, name: string): ProcessLock {
  // Lock names are shared by all databases of a server and have at most 64 characters, hence the hash of the database.
  const lock = knex.raw('CONCAT(?, LEFT(SHA2(DATABASE(), 256), 32))', [`messagebox-${name}-`.slice(0, 31)]);
  return {
    async run(work) {
      const connection: unknown = await knex.client.acquireConnection();
      try {
        const take = knex.raw('SELECT GET_LOCK(?, ?) AS held', [lock, LOCK_TIMEOUT_MS / 1_000]);
        const [[row]] = await take.connection(connection);
        if (row.held !== 1) throw localNetworkBusyError();
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

/** Creates a lock with an SQLite file of its own. A lock on the data's file would block the queries. */
export function createSqliteLock(file: string): ProcessLock {
  let knex: Knex | undefined;
  return {
    async run(work) {
      knex ??= createKnex({ client: 'better-sqlite3', filename: file });
      const deadline = performance.now() + LOCK_TIMEOUT_MS;
      // Waiting in SQLite would block the event loop, and with it a holder in this process.
      await knex.raw('PRAGMA busy_timeout = 0');
      while (!(await tryBegin(knex))) {
        if (performance.now() > deadline) throw localNetworkBusyError();
        await delay(POLL_INTERVAL_MS + Math.random() * POLL_INTERVAL_MS);
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

/** For a database in memory, which no other process can open. */
export const noLock: ProcessLock = { run: (work) => work(), close: async () => undefined };

async function tryBegin(knex: Knex): Promise<boolean> {
  try {
    await knex.raw('BEGIN EXCLUSIVE');
    return true;
  } catch (error) {
    const { code } = error as { code?: unknown };
    if (typeof code === 'string' && code.startsWith('SQLITE_BUSY')) return false;
    throw error;
  }
}

function localNetworkBusyError(): Error {
  return new Error('The local network is busy.');
}
