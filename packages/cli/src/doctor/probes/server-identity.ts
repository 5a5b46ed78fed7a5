import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { PrivateKey } from '@bsv/sdk';
import { loadCurve } from '@messagebox/brc103';
import type { Config } from '@messagebox/shared';

/** Whether a key is a private key of the curve. */
export function isPrivateKey(key: Uint8Array): boolean {
  return loadCurve().isPrivateKey(key);
}

/**
 * The identity that a server with this configuration has.
 *
 * @returns undefined when no key is configured and standalone has not made one yet, or the key is invalid
 */
export async function readServerIdentity(config: Config): Promise<string | undefined> {
  const key = config.serverPrivateKey ?? (await readKeyFile(config.dataDir));
  if (key === undefined || !isPrivateKey(key)) return undefined;
  return PrivateKey.fromHex(Buffer.from(key).toString('hex')).toPublicKey().toString();
}

async function readKeyFile(dataDir: string): Promise<Uint8Array | undefined> {
  // The same file as standalone's. What is wrong with it is said by the check of the data folder.
  const text = await readFile(path.join(dataDir, 'server-private-key'), 'utf8').catch(() => '');
  return /^[0-9a-f]{64}$/i.test(text.trim()) ? Buffer.from(text.trim(), 'hex') : undefined;
}
