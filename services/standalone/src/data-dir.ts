import { mkdir } from 'node:fs/promises';

/** Creates the data directory, closed to everybody but this user. One that exists, and may have other uses, stays as it is. */
export async function createDataDir(dataDir: string): Promise<void> {
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
}
