import type { Knex } from 'knex';
import { LRUCache } from 'lru-cache';
import {
  dynamic,
  prepared,
  type Sql,
  type SqlClient,
  type SqlDialect,
  type SqlRow,
  type SqlRunner,
  type SqlValue,
  type SqlWrite,
  type WriteResult,
} from './sql-client.js';
import { SqliteCheckpoints } from './sqlite-checkpoints.js';
import type { SqliteDatabase, SqliteStatement } from './sqlite-database.js';
import { SqliteGroupCommit, toWriteResult } from './sqlite-group-commit.js';
import { type SqliteThread, SqliteThreadEndedError } from './sqlite-thread.js';
import type { ReceiptsConfig } from './store-config.js';
import { TurnBudget } from './turn-budget.js';

const NOW = "CAST(unixepoch('subsec') * 1000 AS INTEGER)";
const DAY_MS = 86_400_000;
/** Parsing the text for a hundred rows takes a millisecond, and many sends have the same number of recipients. */
const MAX_DYNAMIC_STATEMENTS = 32;

/**
 * Smaller reads stay in the main thread: they block it for some tenths of a millisecond, and a message to the thread and back
 * costs about one tenth and may wait there for a checkpoint.
 */
const MIN_THREAD_READ_BYTES = 256 * 1024;

interface StatementCache {
  get(text: string): SqliteStatement | undefined;
  set(text: string, statement: SqliteStatement): unknown;
}

type StatementCaches = Readonly<Record<Sql['kind'], StatementCache>>;

/**
 * SQLite through better-sqlite3, which is synchronous: one connection, and a statement is done when it returns. A thread
 * with a second connection reads what is large, and makes checkpoints.
 */
export class SqliteClient implements SqlClient {
  readonly engine = 'sqlite';
  readonly dialect: SqlDialect = {
    bodyBytes: 'octet_length(m.body)',
    now: NOW,
    daysAgo: (days) => `(${NOW} - ${days * DAY_MS})`,
    forceIndex: (index) => `INDEXED BY ${index}`,
    // SQLite's DELETE has no LIMIT unless it was compiled with that option.
    deleteExpiredClaims: (limit) =>
      dynamic(
        `DELETE FROM request_claims WHERE claim_key IN
         (SELECT claim_key FROM request_claims WHERE expires_at < ? ORDER BY expires_at LIMIT ${limit})`,
      ),
    onConflictUpdate: (...columns) => `ON CONFLICT (${columns.join(', ')}) DO UPDATE SET`,
    forShare: '', // SQLite has one writer at a time
    forUpdate: '',
    tableExists: prepared("SELECT 1 AS found FROM sqlite_master WHERE type = 'table' AND name = ?"),
  };
  readonly #preparedStatements = new WeakMap<SqliteDatabase, StatementCaches>();
  readonly #turns = new TurnBudget();
  readonly #groupCommit = new SqliteGroupCommit((work) =>
    this.#withDatabase((database) => this.#turns.run(() => this.#commit(database, () => work(database)))),
  );
  readonly retentionDays: number;
  readonly receipts: ReceiptsConfig | undefined;
  readonly #thread: SqliteThread | undefined;
  readonly #checkpoints: SqliteCheckpoints | undefined;
  #closing: Promise<void> | undefined;

  /** `thread`: undefined for a database in memory. The client closes it. */
  constructor(
    readonly knex: Knex,
    options: {
      readonly retentionDays: number;
      readonly receipts: ReceiptsConfig | undefined;
      readonly thread: SqliteThread | undefined;
    },
  ) {
    this.retentionDays = options.retentionDays;
    this.receipts = options.receipts;
    this.#thread = options.thread;
    this.#checkpoints = options.thread && new SqliteCheckpoints(options.thread);
  }

  toSqlTime(value: Date): SqlValue {
    return value.getTime();
  }

  read(sql: Sql, values: readonly SqlValue[]): Promise<SqlRow[]> {
    return this.#withDatabase((database) => this.#readInTurn(database, sql, values));
  }

  async readLarge(sql: Sql, values: readonly SqlValue[], bytes: number): Promise<SqlRow[]> {
    if (this.#thread === undefined || bytes < MIN_THREAD_READ_BYTES) return this.read(sql, values);
    try {
      return await this.#thread.read(sql.text, values);
    } catch (error) {
      if (error instanceof SqliteThreadEndedError) return this.read(sql, values);
      throw error;
    }
  }

  async write(sql: Sql, values: readonly SqlValue[]): Promise<WriteResult> {
    const [result] = await this.writeAll([{ sql, values }]);
    return result as WriteResult; // there is one for each write
  }

  writeAll(writes: readonly SqlWrite[]): Promise<WriteResult[]> {
    if (writes.length === 0) return Promise.resolve([]);
    return new Promise((resolve, reject) => {
      this.#groupCommit.add({
        writes,
        run: (database, { sql, values }) => this.#writeNow(database, sql, values),
        resolve,
        reject,
      });
    });
  }

  transaction<T>(work: (runner: SqlRunner) => Promise<T>): Promise<T> {
    return this.#withDatabase(async (database) => {
      const runner: SqlRunner = {
        read: (sql, values) => this.#readInTurn(database, sql, values),
        write: (sql, values) => this.#turns.run(() => this.#writeNow(database, sql, values)),
      };
      // IMMEDIATE takes the write lock now: SQLite doesn't let a transaction that has read wait for it later.
      await this.#turns.run(() => database.exec('BEGIN IMMEDIATE'));
      try {
        const result = await work(runner);
        await this.#turns.run(() => this.#commit(database, () => database.exec('COMMIT')));
        return result;
      } catch (error) {
        // SQLite has rolled back by itself when the disk is full.
        if (database.inTransaction) database.exec('ROLLBACK');
        throw error;
      }
    });
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** The main connection is the last one: then SQLite makes the last checkpoint, and removes the log. */
  async #close(): Promise<void> {
    await this.#thread?.close();
    await this.knex.destroy();
  }

  async #withDatabase<T>(work: (database: SqliteDatabase) => T | Promise<T>): Promise<T> {
    if (this.#closing) throw new Error('The database is closed.');
    const database = (await this.knex.client.acquireConnection()) as SqliteDatabase;
    try {
      return await work(database);
    } finally {
      this.knex.client.releaseConnection(database);
    }
  }

  #readInTurn(database: SqliteDatabase, sql: Sql, values: readonly SqlValue[]): Promise<SqlRow[]> {
    return this.#turns.run(() => this.#prepareStatement(database, sql).all(values) as SqlRow[]);
  }

  #writeNow(database: SqliteDatabase, sql: Sql, values: readonly SqlValue[]): WriteResult {
    this.#checkpoints?.noteWrite(values);
    return toWriteResult(this.#prepareStatement(database, sql).run(values));
  }

  #commit(database: SqliteDatabase, commit: () => void): void {
    commit();
    this.#checkpoints?.noteCommit(database);
  }

  #prepareStatement(database: SqliteDatabase, sql: Sql): SqliteStatement {
    let caches = this.#preparedStatements.get(database);
    if (caches === undefined) {
      caches = { prepared: new Map(), dynamic: new LRUCache({ max: MAX_DYNAMIC_STATEMENTS }) };
      this.#preparedStatements.set(database, caches);
    }
    const statements = caches[sql.kind];
    let statement = statements.get(sql.text);
    if (statement === undefined) {
      statement = database.prepare(sql.text);
      statements.set(sql.text, statement);
    }
    return statement;
  }
}
