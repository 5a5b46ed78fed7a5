import { type Connection, createConnection, type RowDataPacket } from 'mysql2/promise';

const DATABASE = 'messagebox';
/** Services work as this user: unlike root, it is bound by `read_only`. */
const USER = 'messagebox';
const TABLE_IS_FULL = 1114;
const TRIGGER_PREFIX = 'is_full_';

/** An operator's own connections to the database, beside the links of the services. */
export class DatabaseAdmin {
  #holder: Connection | undefined;

  /** @param url of the server itself, as root */
  constructor(private readonly url: string) {}

  /** Replaces what an earlier trial has left. @returns the address for services */
  async createDatabase(): Promise<string> {
    await this.run(
      `DROP DATABASE IF EXISTS ${DATABASE}`,
      `CREATE DATABASE ${DATABASE}`,
      `CREATE USER IF NOT EXISTS ${USER}@'%'`,
      `GRANT ALL ON ${DATABASE}.* TO ${USER}@'%'`,
    );
    const url = new URL(this.url);
    url.username = USER;
    url.pathname = `/${DATABASE}`;
    return url.href;
  }

  /** Runs statements one after the other. */
  async run(...statements: readonly string[]): Promise<void> {
    await this.#connected(async (connection) => {
      for (const statement of statements) await connection.query(statement);
    });
  }

  /** Ends all connections of services. */
  async killConnections(): Promise<void> {
    await this.#connected(async (connection) => {
      const [rows] = await connection.query<RowDataPacket[]>(
        'SELECT id FROM information_schema.processlist WHERE user = ?',
        [USER],
      );
      for (const { id } of rows) await connection.query('KILL ?', [id]).catch(() => undefined); // it may have ended
    });
  }

  /** Locks the table `messages` until `unlock`: statements on it wait. */
  async lockMessages(): Promise<void> {
    this.#holder = await createConnection({ uri: this.url });
    await this.#holder.query(`LOCK TABLES ${DATABASE}.messages WRITE`);
  }

  async unlock(): Promise<void> {
    await this.#holder?.end();
    this.#holder = undefined;
  }

  /** From now on each insert is answered as by a server whose disk is full. Everything else works, as it does there. */
  async fill(): Promise<void> {
    const statements = (await this.#listTables()).map(
      (table) =>
        `CREATE TRIGGER ${DATABASE}.${TRIGGER_PREFIX}${table} BEFORE INSERT ON ${DATABASE}.${table} FOR EACH ROW ` +
        `SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = ${TABLE_IS_FULL}, MESSAGE_TEXT = 'The table is full'`,
    );
    await this.run(...statements);
  }

  /** Ends what `fill` has begun. */
  async empty(): Promise<void> {
    const tables = await this.#listTables();
    await this.run(...tables.map((table) => `DROP TRIGGER IF EXISTS ${DATABASE}.${TRIGGER_PREFIX}${table}`));
  }

  async #listTables(): Promise<string[]> {
    let names: string[] = [];
    await this.#connected(async (connection) => {
      const [rows] = await connection.query<RowDataPacket[]>(
        'SELECT table_name AS name FROM information_schema.tables WHERE table_schema = ? AND table_type = ?',
        [DATABASE, 'BASE TABLE'],
      );
      names = rows.map(({ name }) => String(name));
    });
    return names;
  }

  async #connected(work: (connection: Connection) => Promise<void>): Promise<void> {
    const connection = await createConnection({ uri: this.url });
    try {
      await work(connection);
    } finally {
      await connection.end();
    }
  }
}
