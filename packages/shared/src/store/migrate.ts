import { setTimeout as delay } from 'node:timers/promises';
import type { Knex } from 'knex';
import { SQLITE_BUSY_TIMEOUT_MS } from './create-knex.js';
import type { SchemaStatus } from './message-store.js';
import { MIGRATION_NAMES, migrationSource } from './migrations/index.js';
import { fixed, type SqlClient } from './sql-client.js';
import type { StoreLog } from './store-config.js';
import { MigrationError } from './store-errors.js';
import { sqlErrorKind } from './translate-error.js';

const TABLE = 'knex_migrations';
const LOCK_TABLE = 'knex_migrations_lock';
const POLL_MS = 50;
const DONE = fixed(`SELECT name FROM ${TABLE} ORDER BY id`);

export interface MigrateOptions {
  /** Milliseconds to wait for another instance that is migrating. */
  readonly lockTimeoutMs: number;
  readonly log?: StoreLog | undefined;
}

/** Compares the migrations that the database records with those of this code. Reads only. */
export async function schemaStatus(sql: SqlClient): Promise<SchemaStatus> {
  const [table] = await sql.read(sql.phrases.tableExists, [TABLE]);
  const done = new Set(table ? (await sql.read(DONE, [])).map((row) => String(row['name'])) : []);
  const pending = MIGRATION_NAMES.filter((name) => !done.has(name));
  const unknown = [...done].filter((name) => !MIGRATION_NAMES.includes(name));
  return { current: pending.length === 0, pending, unknown };
}

/**
 * Runs pending migrations. Of several instances that call it at once, one works and the others wait for it.
 *
 * @returns the names that this call has run
 * @throws {MigrationError} when a newer version has been here, when the lock stays held, or when a migration fails
 */
export async function migrate(sql: SqlClient, options: MigrateOptions): Promise<string[]> {
  const deadline = performance.now() + options.lockTimeoutMs;
  for (;;) {
    const { pending, unknown } = await schemaStatus(sql);
    if (unknown.length > 0) {
      throw new MigrationError(
        `The database was migrated by a newer version: this one does not know ${unknown.join(', ')}.`,
      );
    }
    if (pending.length === 0) return [];
    try {
      return await runPending(sql, options.log);
    } catch (error) {
      if (!isLocked(error)) throw describeFailure(error);
      if (performance.now() >= deadline) throw lockedError(error);
    }
    await delay(POLL_MS + Math.random() * POLL_MS);
  }
}

async function runPending({ knex, dialect }: SqlClient, log: StoreLog | undefined): Promise<string[]> {
  // SQLite's own waiting blocks the event loop, and with it an instance in this process that holds the lock.
  if (dialect === 'sqlite') await knex.raw('PRAGMA busy_timeout = 0');
  try {
    await ensureMigrationTables(knex);
    const [, names] = (await knex.migrate.latest({ migrationSource, tableName: TABLE })) as [number, string[]];
    if (names.length > 0) log?.info({ migrations: names }, 'The database schema was brought up to date.');
    return names;
  } finally {
    if (dialect === 'sqlite') await knex.raw(`PRAGMA busy_timeout = ${SQLITE_BUSY_TIMEOUT_MS}`);
  }
}

/**
 * Makes Knex's own two tables, as Knex would, but so that several instances may do it at once: Knex lets each of them
 * add a row to the lock table, and with two rows the lock can never be taken again.
 */
async function ensureMigrationTables(knex: Knex): Promise<void> {
  const mysql = knex.client.config.client === 'mysql2';
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
    if (sqlErrorKind(error) !== 'duplicate') throw error;
  }
}

function isLocked(error: unknown): boolean {
  return (error as Error).name === 'MigrationLocked' || sqlErrorKind(error) === 'contended';
}

function lockedError(cause: unknown): MigrationError {
  return new MigrationError(
    `Another instance seems to be migrating the database, and did not finish in time. When none is, a migration was ` +
      `interrupted: release its lock with "UPDATE ${LOCK_TABLE} SET is_locked = 0" and migrate again.`,
    { cause },
  );
}

/** A statement that the database refused is the migration's fault; a lost connection is not, and is worth a retry. */
function describeFailure(error: unknown): unknown {
  if (error instanceof MigrationError) return error;
  const { sqlState, code } = error as { sqlState?: unknown; code?: unknown };
  const refused = typeof sqlState === 'string' || (typeof code === 'string' && code.startsWith('SQLITE_'));
  return refused ? new MigrationError(`A migration failed: ${(error as Error).message}`, { cause: error }) : error;
}
