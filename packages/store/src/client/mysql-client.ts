import type { Knex } from 'knex';
import type { Connection, QueryError, ResultSetHeader } from 'mysql2';
import type { ConnectionWatch } from './connection-watch.js';
import {
  checkChanges,
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
import type { ReceiptsConfig } from './store-config.js';

/** MySQL and MariaDB through mysql2. `prepared` statements are prepared, and each statement has a timeout. */
export class MysqlClient implements SqlClient {
  readonly engine = 'mysql';
  readonly dialect: SqlDialect = {
    bodyBytes: 'LENGTH(m.body)',
    now: 'CURRENT_TIMESTAMP(3)',
    daysAgo: (days) => `(CURRENT_TIMESTAMP(3) - INTERVAL ${days} DAY)`,
    forceIndex: (index) => `FORCE INDEX (${index})`,
    deleteExpiredClaims: (limit) =>
      dynamic(`DELETE FROM request_claims WHERE expires_at < ? ORDER BY expires_at LIMIT ${limit}`),
    onConflictUpdate: () => 'ON DUPLICATE KEY UPDATE',
    forShare: 'LOCK IN SHARE MODE',
    forUpdate: 'FOR UPDATE',
    tableExists: prepared(
      'SELECT 1 AS found FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = ?',
    ),
  };

  readonly retentionDays: number;
  readonly receipts: ReceiptsConfig | undefined;
  readonly #queryTimeoutMs: number;
  readonly #watch: ConnectionWatch;

  constructor(
    readonly knex: Knex,
    options: {
      readonly queryTimeoutMs: number;
      readonly retentionDays: number;
      readonly receipts: ReceiptsConfig | undefined;
      readonly watch: ConnectionWatch;
    },
  ) {
    this.#queryTimeoutMs = options.queryTimeoutMs;
    this.#watch = options.watch;
    this.retentionDays = options.retentionDays;
    this.receipts = options.receipts;
  }

  toSqlTime(value: Date): SqlValue {
    return value;
  }

  read(sql: Sql, values: readonly SqlValue[]): Promise<SqlRow[]> {
    return this.#withConnection((connection) => this.#send<SqlRow[]>(connection, sql, values));
  }

  readLarge(sql: Sql, values: readonly SqlValue[]): Promise<SqlRow[]> {
    return this.read(sql, values);
  }

  async write(sql: Sql, values: readonly SqlValue[]): Promise<WriteResult> {
    return toWriteResult(
      await this.#withConnection((connection) => this.#send<ResultSetHeader>(connection, sql, values)),
    );
  }

  transaction<T>(work: (runner: SqlRunner) => Promise<T>): Promise<T> {
    return this.#withConnection(async (connection) => {
      const runner: SqlRunner = {
        read: (sql, values) => this.#send<SqlRow[]>(connection, sql, values),
        write: async (sql, values) => toWriteResult(await this.#send<ResultSetHeader>(connection, sql, values)),
      };
      await this.#send(connection, dynamic('START TRANSACTION'), []);
      try {
        const result = await work(runner);
        await this.#send(connection, dynamic('COMMIT'), []);
        return result;
      } catch (error) {
        // A connection whose rollback was not confirmed must not take its transaction to the next user.
        await this.#send(connection, dynamic('ROLLBACK'), []).catch(() => connection.destroy());
        throw error;
      }
    });
  }

  async writeAll(writes: readonly SqlWrite[]): Promise<WriteResult[]> {
    if (writes.length === 0) return [];
    return this.transaction(async (runner) => {
      const results: WriteResult[] = [];
      for (const write of writes) results.push(checkChanges(write, await runner.write(write.sql, write.values)));
      return results;
    });
  }

  close(): Promise<void> {
    return this.knex.destroy();
  }

  async #withConnection<T>(work: (connection: Connection) => Promise<T>): Promise<T> {
    const connection = (await this.knex.client.acquireConnection()) as Connection;
    try {
      return await work(connection);
    } finally {
      this.knex.client.releaseConnection(connection);
    }
  }

  /**
   * The driver's own timeout doesn't cover the preparation of a statement, and leaves the connection open. A connection
   * that has not answered is destroyed here, because its answer may still come.
   */
  #send<T>(connection: Connection, sql: Sql, values: readonly SqlValue[]): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const sentAt = performance.now();
      const timer = setTimeout(() => {
        this.#watch.noteSilence(sentAt);
        connection.destroy();
        reject(new Error(`The database did not answer within ${this.#queryTimeoutMs} ms.`));
      }, this.#queryTimeoutMs);
      const done = (error: QueryError | null, result: unknown) => {
        clearTimeout(timer);
        if (error) return reject(error);
        this.#watch.noteAnswer(connection);
        resolve(result as T);
      };
      try {
        if (sql.kind === 'prepared') connection.execute(sql.text, [...values], done);
        else connection.query(sql.text, [...values], done);
      } catch (error) {
        clearTimeout(timer);
        reject(error);
      }
    });
  }
}

function toWriteResult(header: ResultSetHeader): WriteResult {
  return { changes: header.affectedRows, insertId: header.insertId };
}
