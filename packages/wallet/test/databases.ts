import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createDatabase } from '../../../tests/support/with-mysql.ts';
import type { StoreConfig } from '../../shared/src/store/index.js';

/** A database of a test's own, and its end. */
export interface OwnDatabase {
  readonly config: StoreConfig;
  remove(): Promise<void>;
}

export async function sqliteFile(): Promise<OwnDatabase> {
  const folder = mkdtempSync(path.join(tmpdir(), 'messagebox-wallet-'));
  return {
    config: { client: 'better-sqlite3', filename: path.join(folder, 'messagebox.sqlite') },
    remove: async () => rmSync(folder, { recursive: true, force: true }),
  };
}

export async function mysqlDatabase(): Promise<OwnDatabase> {
  const { config, drop } = await createDatabase();
  return { config, remove: drop };
}
