import { fromBinaryName, type SqlRow } from './sql-client.js';

/** The bytes of a BLOB or BINARY column. */
export function getBytes(row: SqlRow, column: string): Buffer {
  return row[column] as Buffer; // both drivers read such columns as a Buffer
}

/** The bytes of a BLOB or BINARY column in lower-case hex. */
export function getHex(row: SqlRow, column: string): string {
  return getBytes(row, column).toString('hex');
}

/** A name that was stored with `toBinaryName`. */
export function getName(row: SqlRow, column: string): string {
  return fromBinaryName(row[column]);
}

/** A text column. */
export function getText(row: SqlRow, column: string): string {
  return String(row[column]);
}

/** A text column that may be NULL. */
export function getOptionalText(row: SqlRow, column: string): string | undefined {
  return isNull(row, column) ? undefined : getText(row, column);
}

/** A whole number; MySQL's driver reads some as a string or a bigint. */
export function getInteger(row: SqlRow, column: string): number {
  return Number(row[column]);
}

/** A whole number that may be NULL. */
export function getOptionalInteger(row: SqlRow, column: string): number | undefined {
  return isNull(row, column) ? undefined : getInteger(row, column);
}

/** The result of COUNT or SUM; 0 for NULL, and when there is no row. */
export function getCount(row: SqlRow | undefined, column: string): number {
  return Number(row?.[column] ?? 0);
}

/** A time column: MySQL's driver reads a Date, SQLite stores milliseconds since 1970. */
export function getDate(row: SqlRow, column: string): Date {
  return new Date(row[column] as Date | number);
}

/** A time column that may be NULL. */
export function getOptionalDate(row: SqlRow, column: string): Date | undefined {
  return isNull(row, column) ? undefined : getDate(row, column);
}

function isNull(row: SqlRow, column: string): boolean {
  return row[column] === null || row[column] === undefined;
}
