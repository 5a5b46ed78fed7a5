import { existsSync } from 'node:fs';
import { openChain } from '../src/index.js';
import { sqliteFile } from './databases.js';
import { localChainSuite } from './local-chain-suite.js';

describe('the local chain on SQLite', () => localChainSuite(sqliteFile));

test('it is in a file of its own next to the given one, or in memory', async () => {
  const { config, remove } = await sqliteFile();
  const filename = config.client === 'better-sqlite3' ? config.filename : '';
  const chain = openChain({ network: 'local', database: config });
  await chain.local();
  await chain.close();
  expect(existsSync(filename)).toBe(false);
  expect(existsSync(filename.replace('.sqlite', '-local-chain.sqlite'))).toBe(true);
  await remove();

  const memory = openChain({ network: 'local', database: { client: 'better-sqlite3', filename: ':memory:' } });
  expect(await (await memory.tracker()).currentHeight()).toBe(100);
  await memory.close();
});
