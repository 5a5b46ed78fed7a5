import type { Knex } from 'knex';

/** A column as it is in the database. */
export interface MysqlColumn {
  /** Lower case, without a length: `varchar`, `varbinary`, `timestamp`, … */
  readonly type: string;
  /** Null for a column that doesn't hold text. */
  readonly charset: string | null;
  readonly maxCharacters: number;
  readonly nullable: boolean;
  readonly autoIncrement: boolean;
}

/** The rows of a query. Knex returns them together with the descriptions of the columns. */
export async function queryMysqlRows(knex: Knex, sql: string, values: readonly Knex.Value[] = []) {
  const [rows] = (await knex.raw(sql, values as Knex.Value[])) as [Record<string, unknown>[], unknown];
  return rows;
}

/** The table's columns by name; empty when the table doesn't exist. */
export async function readColumns(knex: Knex, table: string): Promise<Map<string, MysqlColumn>> {
  const rows = await queryMysqlRows(
    knex,
    `SELECT column_name AS name, data_type AS type, character_set_name AS charset,
       character_maximum_length AS length, is_nullable AS nullable, extra AS extra
     FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = ?`,
    [table],
  );
  return new Map(
    rows.map((row) => [
      String(row['name']),
      {
        type: String(row['type']).toLowerCase(),
        charset: row['charset'] === null ? null : String(row['charset']),
        maxCharacters: Number(row['length'] ?? 0),
        nullable: row['nullable'] === 'YES',
        autoIncrement: String(row['extra']).toLowerCase().includes('auto_increment'),
      },
    ]),
  );
}

/** Whether the table has an index of this name. */
export async function hasMysqlIndex(knex: Knex, table: string, index: string): Promise<boolean> {
  const rows = await queryMysqlRows(
    knex,
    `SELECT 1 FROM information_schema.statistics
     WHERE table_schema = DATABASE() AND table_name = ? AND index_name = ? LIMIT 1`,
    [table, index],
  );
  return rows.length > 0;
}

/** Drops the indexes that exist. */
export async function dropIndexes(knex: Knex, table: string, indexes: readonly string[]): Promise<void> {
  for (const index of indexes) {
    if (await hasMysqlIndex(knex, table, index)) await knex.raw(`ALTER TABLE ${table} DROP INDEX ${index}`);
  }
}

/**
 * Converts text columns to UTF-8, so that a later change to VARBINARY, which keeps the bytes, keeps the characters too.
 * Columns that are already UTF-8 or binary stay as they are.
 */
export async function convertToUtf8(knex: Knex, table: string, names: readonly string[]): Promise<void> {
  const columns = await readColumns(knex, table);
  const changes = names.flatMap((name) => {
    const column = columns.get(name);
    if (!column?.charset || ['utf8mb4', 'utf8mb3', 'utf8', 'ascii'].includes(column.charset)) return [];
    const text = `VARCHAR(${column.maxCharacters}) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin`;
    return [`MODIFY ${name} ${text} ${column.nullable ? 'NULL' : 'NOT NULL'}`];
  });
  if (changes.length > 0)
    await knex.raw(`ALTER TABLE ${table} ENGINE=InnoDB, ROW_FORMAT=DYNAMIC, ${changes.join(', ')}`);
}

/** The form of an identity key in a table whose collation ignores case. */
export const KEY_PATTERN = '^0[23][0-9A-Fa-f]{64}$';

/**
 * Converts identity keys to lower case, in which they are looked up from now on. Must run while the columns hold text: a
 * binary column has no case.
 */
export async function lowerCaseKeys(knex: Knex, table: string, names: readonly string[]): Promise<void> {
  const columns = await readColumns(knex, table);
  for (const name of names) {
    if (!columns.get(name)?.charset) continue;
    await knex.raw(`UPDATE ${table} SET ${name} = LOWER(${name}) WHERE ${isUpperCaseKey(name)}`);
  }
}

/** The SQL condition that a text column holds an identity key with an upper-case letter. */
export function isUpperCaseKey(column: string): string {
  return `(${column} REGEXP '${KEY_PATTERN}' AND CAST(${column} AS BINARY) <> CAST(LOWER(${column}) AS BINARY))`;
}
