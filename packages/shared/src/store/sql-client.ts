import type { Knex } from 'knex';

/** What may be bound to a `?`. Times go through {@link SqlClient.time}, names through `encodeName`. */
export type SqlValue = string | number | Buffer | Date | null;
export type SqlRow = Record<string, unknown>;

export interface WriteResult {
  /** Rows inserted, updated or deleted. */
  readonly changes: number;
  /** The auto-increment value of an inserted row. */
  readonly insertId: number;
}

/**
 * SQL text and whether it is worth a prepared statement: `fixed` text is one of a handful of constants, `varying` text
 * depends on how many rows or values it carries.
 */
export interface Sql {
  readonly text: string;
  readonly kind: 'fixed' | 'varying';
}

export const fixed = (text: string): Sql => ({ text, kind: 'fixed' });
export const varying = (text: string): Sql => ({ text, kind: 'varying' });

export interface SqlRunner {
  read(sql: Sql, values: readonly SqlValue[]): Promise<SqlRow[]>;
  write(sql: Sql, values: readonly SqlValue[]): Promise<WriteResult>;
}

/**
 * Statements on connections of Knex's pool, past Knex's query builder, which costs more than the rest of a send.
 * Outside of a transaction each statement commits by itself. Rejects with what the driver said.
 */
export interface SqlClient extends SqlRunner {
  readonly dialect: 'mysql' | 'sqlite';
  /** For migrations. */
  readonly knex: Knex;
  readonly phrases: SqlPhrases;
  /** A time as the dialect's columns hold it. */
  time(value: Date): SqlValue;
  /** Commits when `work` resolves, else rolls back. */
  transaction<T>(work: (runner: SqlRunner) => Promise<T>): Promise<T>;
  /** Safe to call twice. */
  close(): Promise<void>;
}

/** Where MySQL and SQLite don't understand the same words. */
export interface SqlPhrases {
  /** Length of `messages.body` in bytes of UTF-8. */
  readonly bodyBytes: string;
  /** Goes behind a table's name in a SELECT: reads it by this index and no other. */
  byIndex(index: string): string;
  /** Binds: a time. Carries `limit`, a whole number, in its text. */
  purgeClaims(limit: number): Sql;
  /** Goes behind `INSERT … VALUES (…)`, before the assignments that update the row which has these unique columns. */
  onConflictUpdate(...columns: readonly string[]): string;
  /** Goes behind a SELECT within a transaction: waits for those who are just writing the rows that it finds. */
  readonly afterWriters: string;
  /** Goes behind a SELECT within a transaction: others who would change the rows, or refer to them, wait for its end. */
  readonly forUpdate: string;
  /** Binds: a table's name. Returns a row when the table exists. */
  readonly tableExists: Sql;
}

/** Names are compared byte by byte, so columns hold their UTF-8 bytes and this is the way in. */
export function encodeName(name: string): Buffer {
  return Buffer.from(name, 'utf8');
}

/** The way out of {@link encodeName}. */
export function decodeName(bytes: unknown): string {
  return (bytes as Buffer).toString('utf8');
}
