import { randomBytes } from 'node:crypto';
import { link, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type Config, ConfigError, generateVapidKeys, toVapidKeys, type VapidKeys } from '@messagebox/shared';
import { createDataDir } from './create-data-dir.js';

/** The private key, 32 bytes in base64url. The public key follows from it. */
const FILE = 'vapid-private-key';

/**
 * Without VAPID_PUBLIC_KEY, uses the keys in the data directory, and makes them at the first start. Browsers subscribe to one
 * public key, so other keys would end all their subscriptions. With Redis there may be several processes with a directory each,
 * which need common keys, so none are made then.
 *
 * @throws {ConfigError} when the file does not hold a key
 */
export async function ensureVapidKeys(config: Config): Promise<Config> {
  if (config.webPush !== undefined || config.redis !== undefined) return config;
  return { ...config, webPush: await loadOrCreateVapidKeys(config.dataDir) };
}

async function loadOrCreateVapidKeys(dataDir: string): Promise<VapidKeys> {
  const file = path.join(dataDir, FILE);
  const known = await readKeys(file);
  if (known !== undefined) return known;
  await createDataDir(dataDir);
  const keys = generateVapidKeys();
  const temporary = `${file}-${randomBytes(6).toString('hex')}`;
  try {
    await writeFile(temporary, `${keys.privateKey}\n`, { flag: 'wx', mode: 0o600 });
    // Fails when the file exists: two concurrent first starts use the same key, and neither reads half a file.
    await link(temporary, file);
    return keys;
  } catch (error) {
    const others = (error as NodeJS.ErrnoException).code === 'EEXIST' ? await readKeys(file) : undefined;
    if (others !== undefined) return others;
    throw error;
  } finally {
    await rm(temporary, { force: true });
  }
}

/** @returns undefined when there is no file */
async function readKeys(file: string): Promise<VapidKeys | undefined> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  const keys = toVapidKeys(text.trim());
  if (keys === undefined) throw new ConfigError([`${file} must hold a private key of P-256 in base64url`]);
  return keys;
}
