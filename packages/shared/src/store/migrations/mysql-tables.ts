import type { Knex } from 'knex';

/** A column as it is in the database now. */
export interface MysqlColumn {
  /** Lower case, without a length: `varchar`, `varbinary`, `timestamp`, … */
  readonly type: string;
  /** Null when it is no text. */
  readonly charset: string | null;
  readonly maxCharacters: number;
  readonly nullable: boolean;
  readonly autoIncrement: boolean;
}

/** Rows of a query, past the field descriptions that Knex hands out beside them. */
export async function mysqlRows(knex: Knex, sql: string, values: readonly Knex.Value[] = []) {
  const [rows] = (await knex.raw(sql, values as Knex.Value[])) as [Record<string, unknown>[], unknown];
  return rows;
}

/** The table's columns by name; empty when there is no such table. */
export async function columnsOf(knex: Knex, table: string): Promise<Map<string, MysqlColumn>> {
  const rows = await mysqlRows(
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

export async function hasIndex(knex: Knex, table: string, index: string): Promise<boolean> {
  const rows = await mysqlRows(
    knex,
    `SELECT 1 FROM information_schema.statistics
     WHERE table_schema = DATABASE() AND table_name = ? AND index_name = ? LIMIT 1`,
    [table, index],
  );
  return rows.length > 0;
}

export async function dropIndexes(knex: Knex, table: string, indexes: readonly string[]): Promise<void> {
  for (const index of indexes) {
    if (await hasIndex(knex, table, index)) await knex.raw(`ALTER TABLE ${table} DROP INDEX ${index}`);
  }
}

/**
 * Rewrites text columns in UTF-8, so that a later change to VARBINARY, which keeps the bytes as they lie, keeps the
 * characters too. Columns that are in UTF-8 or binary already are left alone.
 */
export async function convertToUtf8(knex: Knex, table: string, names: readonly string[]): Promise<void> {
  const columns = await columnsOf(knex, table);
  const changes = names.flatMap((name) => {
    const column = columns.get(name);
    if (!column?.charset || ['utf8mb4', 'utf8mb3', 'utf8', 'ascii'].includes(column.charset)) return [];
    const text = `VARCHAR(${column.maxCharacters}) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin`;
    return [`MODIFY ${name} ${text} ${column.nullable ? 'NULL' : 'NOT NULL'}`];
  });
  if (changes.length > 0)
    await knex.raw(`ALTER TABLE ${table} ENGINE=InnoDB, ROW_FORMAT=DYNAMIC, ${changes.join(', ')}`);
}

/** What an identity key may look like in a table whose collation took `AB` and `ab` for the same. */
export const KEY_PATTERN = '^0[23][0-9A-Fa-f]{64}$';

/**
 * Spells identity keys in lower case, as they are looked up from here on. Must run while the columns are text: a
 * binary column has no case.
 */
export async function lowerCaseKeys(knex: Knex, table: string, names: readonly string[]): Promise<void> {
  const columns = await columnsOf(knex, table);
  for (const name of names) {
    if (!columns.get(name)?.charset) continue;
    await knex.raw(`UPDATE ${table} SET ${name} = LOWER(${name}) WHERE ${isUpperCaseKey(name)}`);
  }
}

/** A condition: the text column holds an identity key with an upper-case letter. */
export function isUpperCaseKey(column: string): string {
  return `(${column} REGEXP '${KEY_PATTERN}' AND CAST(${column} AS BINARY) <> CAST(LOWER(${column}) AS BINARY))`;
}
