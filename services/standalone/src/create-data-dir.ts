import { mkdir } from 'node:fs/promises';

/** Creates the data directory, readable by this user only. The mode of an existing directory does not change. */
export async function createDataDir(dataDir: string): Promise<void> {
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
}
