import type { Knex } from 'knex';
import type { Connection, QueryError, ResultSetHeader } from 'mysql2';
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

/** MySQL and MariaDB through mysql2: fixed statements are prepared, and none is waited for longer than the timeout. */
export class MysqlClient implements SqlClient {
  readonly dialect = 'mysql';
  readonly phrases: SqlPhrases = {
    bodyBytes: 'LENGTH(m.body)',
    byIndex: (index) => `FORCE INDEX (${index})`,
    purgeClaims: (limit) =>
      varying(`DELETE FROM request_claims WHERE expires_at < ? ORDER BY expires_at LIMIT ${limit}`),
    onConflictUpdate: () => 'ON DUPLICATE KEY UPDATE',
    afterWriters: 'LOCK IN SHARE MODE',
    forUpdate: 'FOR UPDATE',
    tableExists: fixed(
      'SELECT 1 AS found FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = ?',
    ),
  };

  constructor(
    readonly knex: Knex,
    private readonly queryTimeoutMs: number,
  ) {}

  time(value: Date): SqlValue {
    return value;
  }

  read(sql: Sql, values: readonly SqlValue[]): Promise<SqlRow[]> {
    return this.withConnection((connection) => this.send<SqlRow[]>(connection, sql, values));
  }

  async write(sql: Sql, values: readonly SqlValue[]): Promise<WriteResult> {
    return toWriteResult(
      await this.withConnection((connection) => this.send<ResultSetHeader>(connection, sql, values)),
    );
  }

  transaction<T>(work: (runner: SqlRunner) => Promise<T>): Promise<T> {
    return this.withConnection(async (connection) => {
      const runner: SqlRunner = {
        read: (sql, values) => this.send<SqlRow[]>(connection, sql, values),
        write: async (sql, values) => toWriteResult(await this.send<ResultSetHeader>(connection, sql, values)),
      };
      await this.send(connection, varying('START TRANSACTION'), []);
      try {
        const result = await work(runner);
        await this.send(connection, varying('COMMIT'), []);
        return result;
      } catch (error) {
        // A connection that can't say that it has rolled back must not carry its transaction to the next user.
        await this.send(connection, varying('ROLLBACK'), []).catch(() => connection.destroy());
        throw error;
      }
    });
  }

  close(): Promise<void> {
    return this.knex.destroy();
  }

  private async withConnection<T>(work: (connection: Connection) => Promise<T>): Promise<T> {
    const connection = (await this.knex.client.acquireConnection()) as Connection;
    try {
      return await work(connection);
    } finally {
      this.knex.client.releaseConnection(connection);
    }
  }

  /**
   * The driver's own timeout covers neither the preparing of a statement nor what becomes of the connection: one that
   * has not answered is destroyed, because its answer may still come.
   */
  private send<T>(connection: Connection, sql: Sql, values: readonly SqlValue[]): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const timer = setTimeout(() => {
        connection.destroy();
        reject(new Error(`The database did not answer within ${this.queryTimeoutMs} ms.`));
      }, this.queryTimeoutMs);
      const done = (error: QueryError | null, result: unknown) => {
        clearTimeout(timer);
        if (error) reject(error);
        else resolve(result as T);
      };
      try {
        if (sql.kind === 'fixed') connection.execute(sql.text, [...values], done);
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
