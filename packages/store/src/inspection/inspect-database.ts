import { randomBytes } from 'node:crypto';
import { type Connection, createConnection, type RowDataPacket } from 'mysql2/promise';
import { openStore } from '../client/open-store.js';
import type { MysqlConfig, StoreConfig } from '../client/store-config.js';
import type { SchemaStatus } from '../messages/message-store.js';

/** What a MySQL or MariaDB server says about itself and about the configured database. */
export interface MysqlFacts {
  readonly product: 'MySQL' | 'MariaDB';
  /** `10.11.6`. */
  readonly version: string;
  readonly charset: string;
  readonly collation: string;
  /** Text columns of our tables that can't hold every character: `messages.body (latin1)`. */
  readonly narrowColumns: readonly string[];
  /** How far the server's clock is ahead of this host's, in milliseconds. */
  readonly clockAheadMs: number;
  /** The clock was read within so many milliseconds. */
  readonly clockToleranceMs: number;
  readonly maxConnections: number;
  readonly usedConnections: number;
  /** Bytes of the largest statement. */
  readonly maxPacketBytes: number;
  /** Why this user can't write: an error code of the server. Undefined: it can, or the schema is not there yet. */
  readonly writeProblem: string | undefined;
}

/** Character sets in which each of our texts keeps its bytes. */
const WIDE_CHARSETS = ['utf8mb4', 'utf8', 'utf8mb3', 'ascii', 'binary'];

/**
 * Asks the server over a connection of its own, with the settings of the store. Changes nothing.
 *
 * @param options.connectTimeoutMs how long the server may take to accept the connection and the user
 * @param options.signal ends the connection at once
 * @throws the driver's error, with its `code`
 */
export async function inspectMysql(
  config: MysqlConfig,
  { connectTimeoutMs, signal }: { readonly connectTimeoutMs: number; readonly signal: AbortSignal },
): Promise<MysqlFacts> {
  const given = typeof config.connection === 'string' ? { uri: config.connection } : config.connection;
  const connection = await createConnection({
    ...given,
    charset: 'utf8mb4',
    timezone: 'Z',
    connectTimeout: connectTimeoutMs,
  });
  const end = () => connection.destroy();
  signal.addEventListener('abort', end, { once: true });
  try {
    return await readFacts(connection);
  } finally {
    signal.removeEventListener('abort', end);
    connection.destroy();
  }
}

/** Compares the schema with the migrations of this version. Writes nothing. @throws when the database can't be read */
export async function inspectSchema(config: StoreConfig): Promise<SchemaStatus> {
  const store = openStore({ ...config, poolSize: 1 });
  try {
    return await store.getSchemaStatus();
  } finally {
    await store.close();
  }
}

async function readFacts(connection: Connection): Promise<MysqlFacts> {
  const sentAt = Date.now();
  const [row] = await query(
    connection,
    `SELECT VERSION() AS version, UNIX_TIMESTAMP(CURRENT_TIMESTAMP(3)) AS seconds, @@character_set_database AS charset,
       @@collation_database AS collation, @@max_connections AS maxConnections, @@max_allowed_packet AS maxPacketBytes`,
  );
  const receivedAt = Date.now();
  const [status] = await query(connection, "SHOW GLOBAL STATUS LIKE 'Threads_connected'");
  const version = String(row?.['version']);
  return {
    product: /mariadb/i.test(version) ? 'MariaDB' : 'MySQL',
    version: /^(?:5\.5\.5-)?(\d+\.\d+\.\d+)/.exec(version)?.[1] ?? version,
    charset: String(row?.['charset']),
    collation: String(row?.['collation']),
    narrowColumns: await findNarrowColumns(connection),
    clockAheadMs: Math.round(Number(row?.['seconds']) * 1000 - (sentAt + receivedAt) / 2),
    clockToleranceMs: Math.ceil((receivedAt - sentAt) / 2),
    maxConnections: Number(row?.['maxConnections']),
    usedConnections: Number(status?.['Value']),
    maxPacketBytes: Number(row?.['maxPacketBytes']),
    writeProblem: await findWriteProblem(connection),
  };
}

async function findNarrowColumns(connection: Connection): Promise<string[]> {
  const rows = await query(
    connection,
    `SELECT table_name AS tableName, column_name AS columnName, character_set_name AS charset
     FROM information_schema.columns
     WHERE table_schema = DATABASE() AND character_set_name IS NOT NULL
       AND character_set_name NOT IN (?) AND table_name NOT LIKE 'knex\\_%'
     ORDER BY table_name, column_name`,
    [WIDE_CHARSETS],
  );
  return rows.map((row) => `${row['tableName']}.${row['columnName']} (${row['charset']})`);
}

/** Runs statements that write no row, which the server refuses all the same to those who may not write. */
async function findWriteProblem(connection: Connection): Promise<string | undefined> {
  const found = await query(
    connection,
    "SELECT 1 FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = 'request_claims'",
  );
  if (found.length === 0) return undefined;
  try {
    await query(connection, 'START TRANSACTION');
    const key = randomBytes(32);
    await query(connection, 'INSERT INTO request_claims SELECT * FROM request_claims WHERE claim_key = ? AND 1 = 0', [
      key,
    ]);
    await query(connection, 'UPDATE request_claims SET expires_at = expires_at WHERE claim_key = ? AND 1 = 0', [key]);
    await query(connection, 'DELETE FROM request_claims WHERE claim_key = ? AND 1 = 0', [key]);
    return undefined;
  } catch (error) {
    return String((error as { code?: unknown }).code ?? error);
  } finally {
    await query(connection, 'ROLLBACK').catch(() => undefined); // the connection is closed anyway
  }
}

async function query(connection: Connection, sql: string, values: readonly unknown[] = []): Promise<RowDataPacket[]> {
  const [rows] = await connection.query<RowDataPacket[]>(sql, [...values]);
  return rows;
}
