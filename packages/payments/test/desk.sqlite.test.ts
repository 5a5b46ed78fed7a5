import { join } from 'node:path';
import type { StoreConfig } from '@messagebox/shared';
import { temporaryFolder } from '../../../tests/support/own-process.ts';
import { deskSuite } from './support/desk-suite.js';
import { repeatsSuite } from './support/repeats-suite.js';

describe('the payment desk on SQLite', () => {
  const create = async () => {
    const folder = temporaryFolder();
    const config: StoreConfig = { client: 'better-sqlite3', filename: join(folder.path, 'messagebox.sqlite') };
    return { config, remove: async () => folder.remove() };
  };
  deskSuite(create);
  describe('asked again', () => repeatsSuite(create));
});
