import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { engineSuite } from './engine-suite.js';

engineSuite('engine on SQLite', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'mb-engine-'));
  return {
    config: { client: 'better-sqlite3' as const, filename: path.join(folder, 'overlay.db') },
    drop: () => rm(folder, { recursive: true }),
  };
});
