import type { Connection } from 'mysql2/promise';

// MySQL's information_schema.innodb_trx and .processlist are not asked: they hold the statements of everybody on the
// server, and the whole query fails when a statement with binary keys can't be converted for them.

interface DatabaseConnection {
  readonly Id: number;
  readonly db: string | null;
  /** The server's current work for this connection. */
  readonly State: string | null;
}

/** The connections to `database` (a name), without the one that asks. */
export async function listDatabaseConnections(connection: Connection, database: string): Promise<DatabaseConnection[]> {
  const [rows] = await connection.query('SHOW PROCESSLIST');
  return (rows as DatabaseConnection[]).filter(({ Id, db }) => db === database && Id !== connection.threadId);
}

/** Whether a connection to `database` (a name) waits for a row's lock. */
export async function hasLockWait(connection: Connection, database: string): Promise<boolean> {
  const [[server]] = (await connection.query('SELECT VERSION() AS version')) as unknown as [[{ version: string }]];
  // MariaDB has no view of locks in performance_schema, and converts what it shows in information_schema.
  const waiting = server.version.includes('MariaDB')
    ? `SELECT 1 FROM information_schema.innodb_trx t JOIN information_schema.processlist p
         ON p.id = t.trx_mysql_thread_id
       WHERE t.trx_state = 'LOCK WAIT' AND p.db = ?`
    : `SELECT 1 FROM performance_schema.data_locks WHERE lock_status = 'WAITING' AND object_schema = ?`;
  const [rows] = await connection.query(waiting, [database]);
  return (rows as unknown[]).length > 0;
}
