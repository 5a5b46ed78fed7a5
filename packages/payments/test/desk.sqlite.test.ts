import { join } from 'node:path';
import { temporaryFolder } from '../../../tests/support/own-process.ts';
import { deskSuite } from './support/desk-suite.js';

describe('the payment desk on SQLite', () => {
  deskSuite(async () => {
    const folder = temporaryFolder();
    return {
      config: { client: 'better-sqlite3', filename: join(folder.path, 'messagebox.sqlite') },
      remove: async () => folder.remove(),
    };
  });
});
