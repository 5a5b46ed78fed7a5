import { execFileSync } from 'node:child_process';
import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { createTemporaryFolder } from '@messagebox/test-support/managed-process';

/** A file system of its own that a test may fill. */
export interface SmallDisk {
  readonly path: string;
  /** Leaves not one byte. */
  fill(): void;
  free(): void;
  /** Removes it. Nothing may use it any more. */
  close(): void;
}

const PIECE_BYTES = 1_048_576;

/** @throws when this process may not mount */
export function createSmallDisk(megabytes: number): SmallDisk {
  const folder = createTemporaryFolder();
  try {
    const options = `size=${megabytes}m,uid=${process.getuid?.() ?? 0},mode=700`;
    runAsRoot('mount', '-t', 'tmpfs', '-o', options, 'tmpfs', folder.path);
  } catch (error) {
    folder.remove();
    throw error;
  }
  const filler = join(folder.path, 'filler');
  return {
    path: folder.path,
    fill() {
      const file = openSync(filler, 'w');
      try {
        for (let bytes = PIECE_BYTES; bytes >= 1; ) {
          if (!tryToWrite(file, bytes)) bytes = Math.floor(bytes / 2);
        }
      } finally {
        closeSync(file);
      }
    },
    free: () => rmSync(filler, { force: true }),
    close() {
      runAsRoot('umount', folder.path);
      folder.remove();
    },
  };
}

/** Whether this process may mount file systems. */
export function canMount(): boolean {
  try {
    createSmallDisk(1).close();
    return true;
  } catch {
    return false;
  }
}

/** Machines that run tests often let an ordinary user become root without a password. */
function runAsRoot(command: string, ...args: string[]): void {
  const isRoot = process.getuid?.() === 0;
  execFileSync(isRoot ? command : 'sudo', isRoot ? args : ['-n', command, ...args], { stdio: 'pipe' });
}

function tryToWrite(file: number, bytes: number): boolean {
  try {
    return writeSync(file, Buffer.alloc(bytes)) === bytes;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOSPC') return false;
    throw error;
  }
}
