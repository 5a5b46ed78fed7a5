import {
  MessageIdTakenError,
  MigrationError,
  StoreUnavailableError,
  TooManyBlockedError,
  TooManyIdentitiesError,
  TooManyPermissionsError,
  TooManyUploadsError,
  UploadUnavailableError,
  WritesRefusedError,
} from './store-errors.js';

/**
 * The meaning of a driver's error:
 * - `duplicate`: a row with the same unique key exists;
 * - `missing-parent`: the row that a foreign key refers to doesn't exist;
 * - `contended`: a deadlock, or a lock that others held for too long. Nothing was changed, and a retry may succeed;
 * - `refused`: the database takes no writes, because it is read-only or full. Nothing was changed, and reads go on;
 * - `other`: anything else, such as a lost connection.
 */
export type SqlErrorKind = 'duplicate' | 'missing-parent' | 'contended' | 'refused' | 'other';

const MYSQL_ERROR_KINDS: ReadonlyMap<number, SqlErrorKind> = new Map([
  [1062, 'duplicate'], // ER_DUP_ENTRY
  [1586, 'duplicate'], // ER_DUP_ENTRY_WITH_KEY_NAME
  [1216, 'missing-parent'], // ER_NO_REFERENCED_ROW
  [1452, 'missing-parent'], // ER_NO_REFERENCED_ROW_2
  [1205, 'contended'], // ER_LOCK_WAIT_TIMEOUT
  [1213, 'contended'], // ER_LOCK_DEADLOCK
  [1020, 'contended'], // ER_CHECKREAD: MariaDB reports a write conflict under snapshot isolation so
  [1290, 'refused'], // ER_OPTION_PREVENTS_STATEMENT: read_only, super_read_only
  [1792, 'refused'], // ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION: transactions are read-only by default
  [1836, 'refused'], // ER_READ_ONLY_MODE
  [1036, 'refused'], // ER_OPEN_AS_READONLY: so MariaDB reports innodb_read_only
  [1874, 'refused'], // ER_INNODB_READ_ONLY
  [1881, 'refused'], // ER_INNODB_FORCED_RECOVERY
  [1114, 'refused'], // ER_RECORD_FILE_FULL: the data file or the disk is full
  [1021, 'refused'], // ER_DISK_FULL
  [20, 'refused'], // EE_DISK_FULL
]);
/** ER_ERROR_ON_WRITE and EE_WRITE, and ER_GET_ERRNO of a storage engine. They may also mean a broken disk. */
const MYSQL_SYSTEM_ERRORS: readonly unknown[] = [1026, 3, 1030];
/** Codes of the system in messages of those: ENOSPC, EROFS, EDQUOT; and of the engine: HA_ERR_TABLE_READONLY. */
const WRITE_REFUSAL_PATTERN = /\b(?:errno|errcode|error):? "?(?:28|30|122|165)\b/i;
/** Codes of SQLite, some with a suffix. */
const SQLITE_REFUSAL_PATTERN = /^SQLITE_(?:FULL|READONLY|IOERR_WRITE|IOERR_FSYNC)/;

/** Classifies what a database driver has thrown. */
export function classifySqlError(error: unknown): SqlErrorKind {
  if (typeof error !== 'object' || error === null) return 'other';
  const { errno, code } = error as { errno?: unknown; code?: unknown };
  if (typeof code === 'string' && code.startsWith('SQLITE_')) return classifySqliteError(code);
  if (MYSQL_SYSTEM_ERRORS.includes(errno)) {
    return WRITE_REFUSAL_PATTERN.test(String((error as Error).message)) ? 'refused' : 'other';
  }
  return (typeof errno === 'number' ? MYSQL_ERROR_KINDS.get(errno) : undefined) ?? 'other';
}

function classifySqliteError(code: string): SqlErrorKind {
  if (code === 'SQLITE_CONSTRAINT_UNIQUE' || code === 'SQLITE_CONSTRAINT_PRIMARYKEY') return 'duplicate';
  if (code === 'SQLITE_CONSTRAINT_FOREIGNKEY') return 'missing-parent';
  if (code.startsWith('SQLITE_BUSY') || code.startsWith('SQLITE_LOCKED')) return 'contended';
  return SQLITE_REFUSAL_PATTERN.test(code) ? 'refused' : 'other';
}

const STORE_ERRORS = [
  MessageIdTakenError,
  MigrationError,
  TooManyBlockedError,
  TooManyIdentitiesError,
  TooManyPermissionsError,
  TooManyUploadsError,
  UploadUnavailableError,
  StoreUnavailableError,
];

/**
 * Turns an error into one that the store may throw: its own errors stay, any other becomes {@link WritesRefusedError} or
 * {@link StoreUnavailableError}.
 */
export function translateError(error: unknown): Error {
  if (STORE_ERRORS.some((type) => error instanceof type)) return error as Error;
  return classifySqlError(error) === 'refused' ? new WritesRefusedError(error) : new StoreUnavailableError(error);
}

/** Runs `work`, and throws nothing but the store's own errors. */
export async function withStoreErrors<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw translateError(error);
  }
}
