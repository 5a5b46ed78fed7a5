/** The part of a better-sqlite3 database that is used here. */
export interface SqliteDatabase {
  prepare(sql: string): SqliteStatement;
  pragma(sql: string): unknown;
  exec(sql: string): unknown;
  readonly inTransaction: boolean;
}

/** The part of a better-sqlite3 statement that is used here. */
export interface SqliteStatement {
  all(values: readonly unknown[]): unknown[];
  run(values: readonly unknown[]): { changes: number; lastInsertRowid: number | bigint };
}
