import type { Knex } from 'knex';
import { SQLITE_BUSY_TIMEOUT_MS } from '../client/create-knex.js';
import { type RetryPolicy, retry } from '../client/retry.js';
import { getText } from '../client/rows.js';
import { prepared, type SqlClient } from '../client/sql-client.js';
import type { StoreLog } from '../client/store-config.js';
import { MigrationError } from '../client/store-errors.js';
import { classifySqlError } from '../client/translate-error.js';
import type { SchemaStatus } from '../messages/message-store.js';
import { isMysql } from './dialect.js';
import { createMigrationSource, isKnownMigration, MIGRATION_NAMES } from './index.js';

const TABLE = 'knex_migrations';
const LOCK_TABLE = 'knex_migrations_lock';
const POLL_INTERVAL_MS = 50;
const SELECT_DONE = prepared(`SELECT name FROM ${TABLE} ORDER BY id`);

export interface MigrateOptions {
  /** Milliseconds to wait while another instance migrates. */
  readonly lockTimeoutMs: number;
  readonly log?: StoreLog | undefined;
}

/** Compares the migrations that the database records with those of this code. Writes nothing. */
export async function readSchemaStatus(sql: SqlClient): Promise<SchemaStatus> {
  const done = new Set(await readDone(sql));
  const pending = MIGRATION_NAMES.filter((name) => !done.has(name));
  const unknown = [...done].filter((name) => !isKnownMigration(name));
  return { current: pending.length === 0, pending, unknown };
}

/** The names of the migrations that the database records, in the order in which they were run. */
async function readDone(sql: SqlClient): Promise<string[]> {
  const [table] = await sql.read(sql.dialect.tableExists, [TABLE]);
  return table ? (await sql.read(SELECT_DONE, [])).map((row) => getText(row, 'name')) : [];
}

/**
 * Runs pending migrations. When several instances call it at the same time, one migrates and the others wait for it.
 *
 * @returns the names of the migrations that this call has run
 * @throws {MigrationError} when a newer version has migrated the database, when the lock stays held, or when a migration
 *   fails
 */
export function migrate(sql: SqlClient, options: MigrateOptions): Promise<string[]> {
  const policy: RetryPolicy = {
    isRetryable: (error) => error instanceof MigrationLockedError,
    maxTotalMs: options.lockTimeoutMs,
    getPauseMs: () => POLL_INTERVAL_MS + Math.random() * POLL_INTERVAL_MS,
  };
  return retry(policy, async () => {
    const { pending, unknown } = await readSchemaStatus(sql);
    if (unknown.length > 0) {
      throw new MigrationError(
        `The database was migrated by a newer version: this one does not know ${unknown.join(', ')}.`,
      );
    }
    if (pending.length === 0) return [];
    try {
      return await runPendingMigrations(sql, options.log);
    } catch (error) {
      throw isMigrationLocked(error) ? new MigrationLockedError(error) : toMigrationError(error);
    }
  });
}

async function runPendingMigrations(sql: SqlClient, log: StoreLog | undefined): Promise<string[]> {
  const { knex, engine } = sql;
  // While SQLite waits for a lock it blocks the event loop, and so also a holder of the lock in this process.
  if (engine === 'sqlite') await knex.raw('PRAGMA busy_timeout = 0');
  try {
    await ensureMigrationTables(knex);
    const migrationSource = createMigrationSource(await readDone(sql));
    const [, names] = (await knex.migrate.latest({ migrationSource, tableName: TABLE })) as [number, string[]];
    if (names.length > 0) log?.info({ migrations: names }, 'The database schema was brought up to date.');
    return names;
  } finally {
    if (engine === 'sqlite') await knex.raw(`PRAGMA busy_timeout = ${SQLITE_BUSY_TIMEOUT_MS}`);
  }
}

/**
 * Creates Knex's own two tables as Knex does, but in a way that several instances may run at the same time. With Knex each
 * of them would add a row to the lock table, and with two rows the lock can never be acquired again.
 */
async function ensureMigrationTables(knex: Knex): Promise<void> {
  const mysql = isMysql(knex);
  const key = mysql ? 'INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY' : 'INTEGER PRIMARY KEY AUTOINCREMENT';
  await knex.raw(
    `CREATE TABLE IF NOT EXISTS ${TABLE}
     (id ${key}, name VARCHAR(255), batch INT, migration_time ${mysql ? 'TIMESTAMP NULL' : 'DATETIME'})`,
  );
  await knex.raw(`CREATE TABLE IF NOT EXISTS ${LOCK_TABLE} (\`index\` ${key}, is_locked INT)`);
  const rows: unknown[] = await knex(LOCK_TABLE).select('is_locked');
  if (rows.length > 0) return;
  try {
    await knex(LOCK_TABLE).insert({ index: 1, is_locked: 0 });
  } catch (error) {
    if (classifySqlError(error) !== 'duplicate') throw error;
  }
}

function isMigrationLocked(error: unknown): boolean {
  return (error as Error).name === 'MigrationLocked' || classifySqlError(error) === 'contended';
}

/** Another instance holds the lock of migrations. */
class MigrationLockedError extends MigrationError {
  constructor(cause: unknown) {
    super(
      `Another instance seems to be migrating the database, and did not finish in time. If no instance is, a migration was ` +
        `interrupted: release its lock with "UPDATE ${LOCK_TABLE} SET is_locked = 0" and migrate again.`,
      { cause },
    );
  }
}

/** A refused statement is a fault of the migration. A lost connection is not, and a retry may succeed. */
function toMigrationError(error: unknown): unknown {
  if (error instanceof MigrationError) return error;
  const { sqlState, code } = error as { sqlState?: unknown; code?: unknown };
  const refused = typeof sqlState === 'string' || (typeof code === 'string' && code.startsWith('SQLITE_'));
  return refused ? new MigrationError(`A migration failed: ${(error as Error).message}`, { cause: error }) : error;
}
