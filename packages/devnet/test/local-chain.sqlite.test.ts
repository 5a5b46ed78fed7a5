import { existsSync } from 'node:fs';
import { LocalChain } from '../src/index.js';
import { createTemporarySqliteDatabase } from './support/databases.js';
import { localChainSuite } from './support/local-chain-suite.js';

describe('the local chain on SQLite', () => localChainSuite(createTemporarySqliteDatabase));

test('the local chain is in its own file next to the given one, or in memory', async () => {
  const { config, remove } = await createTemporarySqliteDatabase();
  const filename = config.client === 'better-sqlite3' ? config.filename : '';
  const chain = await LocalChain.open(config);
  await chain.close();
  expect(existsSync(filename)).toBe(false);
  expect(existsSync(filename.replace('.sqlite', '-local-chain.sqlite'))).toBe(true);
  await remove();

  const memory = await LocalChain.open({ client: 'better-sqlite3', filename: ':memory:' });
  expect(await memory.tracker.currentHeight()).toBe(100);
  await memory.close();
});
