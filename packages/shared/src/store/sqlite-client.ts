import type { Knex } from 'knex';
import {
  fixed,
  type Sql,
  type SqlClient,
  type SqlPhrases,
  type SqlRow,
  type SqlRunner,
  type SqlValue,
  varying,
  type WriteResult,
} from './sql-client.js';
import { SqliteGroupCommit, toWriteResult } from './sqlite-group-commit.js';

/** The part of a better-sqlite3 database that is used here. */
export interface SqliteDatabase {
  prepare(sql: string): SqliteStatement;
  pragma(sql: string): unknown;
  exec(sql: string): unknown;
  readonly inTransaction: boolean;
}

export interface SqliteStatement {
  all(values: readonly unknown[]): unknown[];
  run(values: readonly unknown[]): { changes: number; lastInsertRowid: number | bigint };
}

/** SQLite through better-sqlite3, which is synchronous: one connection, and a statement is done when it returns. */
export class SqliteClient implements SqlClient {
  readonly dialect = 'sqlite';
  readonly phrases: SqlPhrases = {
    bodyBytes: 'octet_length(m.body)',
    byIndex: (index) => `INDEXED BY ${index}`,
    // SQLite's DELETE has no LIMIT unless it is compiled in.
    purgeClaims: (limit) =>
      varying(
        `DELETE FROM request_claims WHERE claim_key IN
         (SELECT claim_key FROM request_claims WHERE expires_at < ? ORDER BY expires_at LIMIT ${limit})`,
      ),
    onConflictUpdate: (...columns) => `ON CONFLICT (${columns.join(', ')}) DO UPDATE SET`,
    afterWriters: '', // there is one writer at a time
    forUpdate: '',
    tableExists: fixed("SELECT 1 AS found FROM sqlite_master WHERE type = 'table' AND name = ?"),
  };
  private prepared = new WeakMap<SqliteDatabase, Map<string, SqliteStatement>>();

  private readonly writes = new SqliteGroupCommit((work) => this.withDatabase(work));

  constructor(readonly knex: Knex) {}

  time(value: Date): SqlValue {
    return value.getTime();
  }

  read(sql: Sql, values: readonly SqlValue[]): Promise<SqlRow[]> {
    return this.withDatabase((database) => this.statement(database, sql).all(values) as SqlRow[]);
  }

  write(sql: Sql, values: readonly SqlValue[]): Promise<WriteResult> {
    return new Promise((resolve, reject) => {
      this.writes.add({ statement: (database) => this.statement(database, sql), values, resolve, reject });
    });
  }

  transaction<T>(work: (runner: SqlRunner) => Promise<T>): Promise<T> {
    return this.withDatabase(async (database) => {
      const runner: SqlRunner = {
        read: async (sql, values) => this.statement(database, sql).all(values) as SqlRow[],
        write: async (sql, values) => toWriteResult(this.statement(database, sql).run(values)),
      };
      // IMMEDIATE takes the write lock at once: a transaction that reads first could not wait for it later.
      database.exec('BEGIN IMMEDIATE');
      try {
        const result = await work(runner);
        database.exec('COMMIT');
        return result;
      } catch (error) {
        database.exec('ROLLBACK');
        throw error;
      }
    });
  }

  close(): Promise<void> {
    return this.knex.destroy();
  }

  private async withDatabase<T>(work: (database: SqliteDatabase) => T | Promise<T>): Promise<T> {
    const database = (await this.knex.client.acquireConnection()) as SqliteDatabase;
    try {
      return await work(database);
    } finally {
      this.knex.client.releaseConnection(database);
    }
  }

  private statement(database: SqliteDatabase, sql: Sql): SqliteStatement {
    if (sql.kind === 'varying') return database.prepare(sql.text);
    let statements = this.prepared.get(database);
    if (!statements) {
      statements = new Map();
      this.prepared.set(database, statements);
    }
    let statement = statements.get(sql.text);
    if (!statement) {
      statement = database.prepare(sql.text);
      statements.set(sql.text, statement);
    }
    return statement;
  }
}
