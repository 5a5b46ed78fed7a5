import { chmodSync, closeSync, openSync, statSync } from 'node:fs';

/** Read and written by their owner only. */
const PRIVATE_FILE_MODE = 0o600;
/** Files that SQLite keeps beside a database. It creates them with the mode of the database. */
const COMPANION_SUFFIXES = ['-wal', '-shm', '-journal'];

/**
 * Creates an SQLite database as an empty file that only its owner can read; the driver would create it with the mode of the
 * umask. An existing file stays as it is: see {@link restrictDatabaseFiles}. When the file can't be created, nothing is
 * thrown here: the driver reports the reason when it opens it.
 *
 * @param filename as SQLite takes it
 */
export function createPrivateDatabaseFile(filename: string): void {
  if (!isDatabaseFile(filename)) return;
  try {
    // 'wx' never opens an existing file: closing it would release the locks that this process has on it (POSIX fcntl).
    closeSync(openSync(filename, 'wx', PRIVATE_FILE_MODE));
  } catch {
    // The file exists, or the driver will report why it can't be created.
  }
}

/** Lets only the owner read an SQLite database and its companion files, when they belong to this user. */
export function restrictDatabaseFiles(filename: string): void {
  if (!isDatabaseFile(filename)) return;
  for (const file of ['', ...COMPANION_SUFFIXES].map((suffix) => filename + suffix)) {
    try {
      const { mode, uid } = statSync(file);
      if ((mode & 0o077) !== 0 && uid === process.getuid?.()) chmodSync(file, PRIVATE_FILE_MODE);
    } catch {
      // The file does not exist, or was deleted meanwhile.
    }
  }
}

/** Whether SQLite keeps this database in a file. A database in memory, or without a name, has none. */
export function isDatabaseFile(filename: string): boolean {
  return filename !== '' && !filename.startsWith(':');
}
