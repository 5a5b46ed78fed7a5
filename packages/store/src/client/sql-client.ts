import type { Knex } from 'knex';
import type { ReceiptsConfig } from './store-config.js';

/** A value for a `?`. Convert times with {@link SqlClient.toSqlTime}, and names with `toBinaryName`. */
export type SqlValue = string | number | Buffer | Date | null;
export type SqlRow = Record<string, unknown>;

export interface WriteResult {
  /** Rows inserted, updated or deleted. */
  readonly changes: number;
  /** The auto-increment value of an inserted row. */
  readonly insertId: number;
}

/**
 * SQL text, and whether it is worth a prepared statement: `prepared` texts are few and constant, a `dynamic` text depends
 * on the number of its rows or values.
 */
export interface Sql {
  readonly text: string;
  readonly kind: 'prepared' | 'dynamic';
}

/** Text for a prepared statement. */
export const prepared = (text: string): Sql => ({ text, kind: 'prepared' });
/** Text that is sent as it is. */
export const dynamic = (text: string): Sql => ({ text, kind: 'dynamic' });

/** One of several writes of a transaction; see {@link SqlClient.writeAll}. */
export interface SqlWrite {
  readonly sql: Sql;
  readonly values: readonly SqlValue[];
  /** The rows that it must change. Default: any number. */
  readonly changes?: number | undefined;
}

/** A write of a transaction changed another number of rows than it had to. The transaction has changed nothing. */
export class UnexpectedChangesError extends Error {
  override readonly name = 'UnexpectedChangesError';
}

/** @throws {UnexpectedChangesError} */
export function checkChanges({ changes }: SqlWrite, result: WriteResult): WriteResult {
  if (changes === undefined || changes === result.changes) return result;
  throw new UnexpectedChangesError(`The write changed ${result.changes} rows instead of ${changes}.`);
}

/** Runs statements, on a database or within a transaction. */
export interface SqlRunner {
  read(sql: Sql, values: readonly SqlValue[]): Promise<SqlRow[]>;
  write(sql: Sql, values: readonly SqlValue[]): Promise<WriteResult>;
}

/**
 * Runs statements on connections of Knex's pool. Avoids Knex's query builder, which costs more than the rest of a send.
 * Outside a transaction each statement commits by itself. Rejects with the driver's errors.
 */
export interface SqlClient extends SqlRunner {
  readonly engine: 'mysql' | 'sqlite';
  /** For migrations. */
  readonly knex: Knex;
  readonly dialect: SqlDialect;
  /** Days after which messages expire; 0: never. See `message-expiry.ts`. */
  readonly retentionDays: number;
  /** What is remembered of messages that are gone; see `receipts.ts`. Undefined: nothing. */
  readonly receipts: ReceiptsConfig | undefined;
  /**
   * Reads rows with large values, which were committed before. On SQLite, which blocks the event loop while it reads, another
   * thread reads them when `bytes`, what the caller knows of their size, is worth it.
   */
  readLarge(sql: Sql, values: readonly SqlValue[], bytes: number): Promise<SqlRow[]>;
  /** Converts a time to the form in which this database stores it. */
  toSqlTime(value: Date): SqlValue;
  /** Commits when `work` resolves, else rolls back. */
  transaction<T>(work: (runner: SqlRunner) => Promise<T>): Promise<T>;
  /**
   * Runs these writes in their order in one transaction, all or none. On SQLite they may share a commit with other writes,
   * as single ones do.
   *
   * @throws {UnexpectedChangesError}
   */
  writeAll(writes: readonly SqlWrite[]): Promise<WriteResult[]>;
  /** Safe to call twice. */
  close(): Promise<void>;
}

/** The SQL that differs between MySQL and SQLite. */
export interface SqlDialect {
  /** Length of `messages.body` in bytes of UTF-8. */
  readonly bodyBytes: string;
  /** The time of the database's clock, in the form of a time column. */
  readonly now: string;
  /** The time of the database's clock minus this whole number of days. */
  daysAgo(days: number): string;
  /** Follows a table's name in a SELECT: the table is read by this index and no other. */
  forceIndex(index: string): string;
  /** Binds: a time. `limit`, a whole number, is part of the text. */
  deleteExpiredClaims(limit: number): Sql;
  /** Follows `INSERT … VALUES (…)`, and is followed by the assignments that update the row with the same unique `columns`. */
  onConflictUpdate(...columns: readonly string[]): string;
  /** Follows a SELECT within a transaction: waits for transactions that are writing the rows which it finds. */
  readonly forShare: string;
  /** Follows a SELECT within a transaction: others that change the rows, or refer to them, wait until it ends. */
  readonly forUpdate: string;
  /** Binds: a table's name. Returns a row when the table exists. */
  readonly tableExists: Sql;
}

/** Converts a name to its column's value: UTF-8 bytes, because names are compared byte by byte. */
export function toBinaryName(name: string): Buffer {
  return Buffer.from(name, 'utf8');
}

/** The inverse of {@link toBinaryName}. */
export function fromBinaryName(bytes: unknown): string {
  return (bytes as Buffer).toString('utf8');
}
