import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { ConfigError } from '@messagebox/shared';
import { createDataDir } from './data-dir.js';

/**
 * The server's private key from the data directory, made on the first start. For trying things out on one machine:
 * whoever reads the file is this server.
 *
 * @returns the key, 32 bytes, and whether it was made just now
 * @throws {ConfigError} when the file holds something else
 */
export async function keyFromDataDir(dataDir: string): Promise<{ key: Uint8Array; file: string; made: boolean }> {
  const file = path.join(dataDir, 'server-private-key');
  await createDataDir(dataDir);
  const fresh = randomBytes(32);
  try {
    // Fails when it exists, so that two first starts at once end with one key.
    await writeFile(file, `${fresh.toString('hex')}\n`, { flag: 'wx', mode: 0o600 });
    return { key: fresh, file, made: true };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  const text = (await readFile(file, 'utf8')).trim();
  if (!/^[0-9a-f]{64}$/i.test(text)) throw new ConfigError([`${file} must hold 64 hex characters`]);
  return { key: new Uint8Array(Buffer.from(text, 'hex')), file, made: false };
}
