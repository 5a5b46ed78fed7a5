import { chmodSync, closeSync, openSync, statSync } from 'node:fs';

/** Read and written by their owner only. */
const PRIVATE_FILE = 0o600;
/** What SQLite keeps beside a database. It gives new ones the mode of the database. */
const COMPANIONS = ['-wal', '-shm', '-journal'];

/**
 * Creates an SQLite database as an empty file that nobody else on the machine can read, before the driver would create
 * it by the umask. An existing one stays as it is: see {@link restrictDatabaseFiles}. What can't be created is left to the
 * driver, which says why.
 *
 * @param filename as SQLite takes it
 */
export function createPrivateDatabaseFile(filename: string): void {
  if (!isPath(filename)) return;
  try {
    // Never opens one that exists: closing it would end the locks that this process has on it (fcntl, POSIX).
    closeSync(openSync(filename, 'wx', PRIVATE_FILE));
  } catch {}
}

/** Takes an SQLite database and what is beside it away from others on the machine, where the files are this user's. */
export function restrictDatabaseFiles(filename: string): void {
  if (!isPath(filename)) return;
  for (const file of ['', ...COMPANIONS].map((suffix) => filename + suffix)) {
    try {
      const { mode, uid } = statSync(file);
      if ((mode & 0o077) !== 0 && uid === process.getuid?.()) chmodSync(file, PRIVATE_FILE);
    } catch {
      // Not there, or gone meanwhile.
    }
  }
}

/** A database in memory, or one without a name, has no file. */
function isPath(filename: string): boolean {
  return filename !== '' && !filename.startsWith(':');
}
