import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const LIBRARY = 'libfaketimeMT.so.1';

/** The library that gives a process a clock of its own (Debian: package `faketime`); undefined where it is not installed. */
export function findFakeClock(): string | undefined {
  const parents = ['/usr/lib', '/usr/local/lib'].filter((folder) => existsSync(folder));
  const folders = parents.flatMap((parent) => [parent, ...readdirSync(parent).map((name) => join(parent, name))]);
  return folders.map((folder) => join(folder, 'faketime', LIBRARY)).find((file) => existsSync(file));
}

/** The environment of a process whose wall clock follows the offset in a file. */
export function fakeClockEnv(library: string, clockFile: string): Record<string, string> {
  return {
    LD_PRELOAD: library,
    FAKETIME_TIMESTAMP_FILE: clockFile,
    FAKETIME_NO_CACHE: '1',
    FAKETIME_DONT_RESET: '1',
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
  };
}

/** Removes the shared memory that the library of a killed process has left behind. */
export function removeFakeClock(pid: number): void {
  for (const name of [`faketime_shm_${pid}`, `sem.faketime_sem_${pid}`]) {
    rmSync(join('/dev/shm', name), { force: true });
  }
}
