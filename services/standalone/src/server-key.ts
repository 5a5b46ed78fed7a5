import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type Config, ConfigError } from '@messagebox/shared';
import { createDataDir } from './create-data-dir.js';

/**
 * Without SERVER_PRIVATE_KEY, uses the key in the data directory, but never in production.
 *
 * @returns the configuration with a key, and the file of a key that was created by this call
 * @throws {ConfigError} in production, and when the file does not hold a key
 */
export async function ensureServerKey(config: Config): Promise<{ config: Config; keyFile: string | undefined }> {
  if (config.serverPrivateKey !== undefined) return { config, keyFile: undefined };
  refuseNewKeyInProduction(config);
  const { key, file, isNew } = await loadOrCreateServerKey(config.dataDir);
  return { config: { ...config, serverPrivateKey: key }, keyFile: isNew ? file : undefined };
}

/** @throws {ConfigError} in production, where a server without a key of its own must not get one by accident */
export function refuseNewKeyInProduction(config: Config): void {
  if (config.nodeEnv !== 'production') return;
  throw new ConfigError([
    'SERVER_PRIVATE_KEY is missing: with NODE_ENV=production no key is generated. Make one with: openssl rand -hex 32',
  ]);
}

/**
 * Reads the server's private key from the data directory, and creates it at the first start. Meant for trials on one
 * machine: anyone who can read the file can impersonate the server.
 *
 * @returns the key, 32 bytes, and whether it was created by this call
 * @throws {ConfigError} when the file does not hold a key
 */
async function loadOrCreateServerKey(dataDir: string): Promise<{ key: Uint8Array; file: string; isNew: boolean }> {
  const file = path.join(dataDir, 'server-private-key');
  await createDataDir(dataDir);
  const newKey = randomBytes(32);
  try {
    // Fails when the file exists, so that two concurrent first starts use the same key.
    await writeFile(file, `${newKey.toString('hex')}\n`, { flag: 'wx', mode: 0o600 });
    return { key: newKey, file, isNew: true };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  const text = (await readFile(file, 'utf8')).trim();
  if (!/^[0-9a-f]{64}$/i.test(text)) throw new ConfigError([`${file} must hold 64 hex characters`]);
  return { key: new Uint8Array(Buffer.from(text, 'hex')), file, isNew: false };
}
