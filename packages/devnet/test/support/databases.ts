import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { StoreConfig } from '@messagebox/store';
import { createMysqlDatabase } from '@messagebox/test-support/with-mysql';

/** An empty database for one test. */
export interface TemporaryDatabase {
  readonly config: StoreConfig;
  remove(): Promise<void>;
}

/** Creates an empty SQLite database in a folder of its own. */
export async function createTemporarySqliteDatabase(): Promise<TemporaryDatabase> {
  const folder = mkdtempSync(path.join(tmpdir(), 'messagebox-wallet-'));
  return {
    config: { client: 'better-sqlite3', filename: path.join(folder, 'messagebox.sqlite') },
    remove: async () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** Creates an empty MySQL database. */
export async function createTemporaryMysqlDatabase(): Promise<TemporaryDatabase> {
  const { config, drop } = await createMysqlDatabase();
  return { config, remove: drop };
}
