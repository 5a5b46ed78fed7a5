import { MessageIdTakenError, MigrationError, StoreUnavailableError, TooManyPermissionsError } from './store-errors.js';

/**
 * What a driver's error means to the store:
 * - `duplicate`: a unique key is there already;
 * - `missing-parent`: the row that a foreign key points to is gone;
 * - `contended`: a deadlock, or a lock that others held for too long; nothing was changed, and it is worth another try;
 * - `other`: anything else, the lost connection among them.
 */
export type SqlErrorKind = 'duplicate' | 'missing-parent' | 'contended' | 'other';

const MYSQL_KINDS: ReadonlyMap<number, SqlErrorKind> = new Map([
  [1062, 'duplicate'], // ER_DUP_ENTRY
  [1586, 'duplicate'], // ER_DUP_ENTRY_WITH_KEY_NAME
  [1216, 'missing-parent'], // ER_NO_REFERENCED_ROW
  [1452, 'missing-parent'], // ER_NO_REFERENCED_ROW_2
  [1205, 'contended'], // ER_LOCK_WAIT_TIMEOUT
  [1213, 'contended'], // ER_LOCK_DEADLOCK
  [1020, 'contended'], // ER_CHECKREAD: MariaDB's answer to a write conflict under snapshot isolation
]);

export function sqlErrorKind(error: unknown): SqlErrorKind {
  if (typeof error !== 'object' || error === null) return 'other';
  const { errno, code } = error as { errno?: unknown; code?: unknown };
  if (typeof code === 'string' && code.startsWith('SQLITE_')) return sqliteErrorKind(code);
  return (typeof errno === 'number' ? MYSQL_KINDS.get(errno) : undefined) ?? 'other';
}

function sqliteErrorKind(code: string): SqlErrorKind {
  if (code === 'SQLITE_CONSTRAINT_UNIQUE' || code === 'SQLITE_CONSTRAINT_PRIMARYKEY') return 'duplicate';
  if (code === 'SQLITE_CONSTRAINT_FOREIGNKEY') return 'missing-parent';
  if (code.startsWith('SQLITE_BUSY') || code.startsWith('SQLITE_LOCKED')) return 'contended';
  return 'other';
}

/** The one error that leaves the store for whatever happened inside. */
export function translateError(error: unknown): Error {
  if (error instanceof MessageIdTakenError || error instanceof MigrationError) return error;
  if (error instanceof TooManyPermissionsError) return error;
  return error instanceof StoreUnavailableError ? error : new StoreUnavailableError(error);
}

/** Runs `work` and lets nothing out but the store's own errors. */
export async function withStoreErrors<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw translateError(error);
  }
}
